"""Django's PostgreSQL backend with connections that a process which serves pages keeps for its next request."""
