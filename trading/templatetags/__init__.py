"""Template filters of trading."""
