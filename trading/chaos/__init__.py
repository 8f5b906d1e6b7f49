"""Breaks things on purpose: kills, faults and planted bugs, and who judges what came of it."""
