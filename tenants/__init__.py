"""Tenants: who may see and do what; people, workspaces, exchange accounts, audit."""
