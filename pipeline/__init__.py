"""Configuration, the graph, runners, progress and the commands."""
