"""Solvers: from a scenario to a candidate."""
