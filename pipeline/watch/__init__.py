"""What happens when a dataset is ready: a command, a call, or a job, once for each version."""
