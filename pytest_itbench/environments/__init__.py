"""Where attempts take place: providers that start, run in, look into and remove environments."""
