"""Environments of containers on a private network, on any engine that speaks Docker's API."""
