"""A venue of our own: a server on loopback that speaks Kraken's wire protocol, with faults on demand."""
