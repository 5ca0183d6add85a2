"""From the files of a scenario directory to domain values; the only place that knows pydantic."""
