"""What the field talks about, as frozen values: scenarios, candidates, outcomes."""
