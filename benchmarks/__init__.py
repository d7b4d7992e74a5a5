"""Races, not tests: each prints rates, and ratios to the bare cost of the same work measured in the same run."""
