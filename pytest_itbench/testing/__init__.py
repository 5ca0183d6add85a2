"""For authors of scenarios, models and environment providers: a fake environment and a conformance suite."""
