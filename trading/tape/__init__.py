"""The tape: all an engine was told, in order, kept so that any decision can be made again."""
