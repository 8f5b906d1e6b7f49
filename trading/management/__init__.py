"""Commands of trading and their words."""
