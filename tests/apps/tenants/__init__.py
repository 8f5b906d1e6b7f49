"""Tests of tenants: walls, people, pages."""
