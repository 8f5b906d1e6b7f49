"""One indicator per file: STATE dtype and update kernel."""
