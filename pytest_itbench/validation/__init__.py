"""Run a scenario's validators against its hosts, and judge the attempt from what they and the tool report."""
