"""The one door: servers, roles, start, stop, and what goes wrong on the way."""
