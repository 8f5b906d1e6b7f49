"""Puts the tenant on the request, opens the scope."""
