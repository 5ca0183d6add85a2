"""Measure with pytest whether a language model can do IT work."""
