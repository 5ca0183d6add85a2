"""Pure arithmetic on outcomes: pass@k, tallies and the summary of a run."""
