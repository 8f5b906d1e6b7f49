"""One venue connection for all engines of a host: who speaks with the venue, and who listens to it."""
