"""Models: one independent request in, one reply out."""
