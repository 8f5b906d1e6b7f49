"""Template filters of tenants."""
