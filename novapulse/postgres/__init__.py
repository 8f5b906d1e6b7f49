"""PostgreSQL as Django reaches it, with a page's patience."""
