"""Telling people: what is told to whom, through which channel, and how often."""
