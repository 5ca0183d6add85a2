"""From a run's summary to what people and machines read: terminal, JSON, JUnit, Markdown and HTML."""
