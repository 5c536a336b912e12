"""Training: batches in, a voice out, that can be killed at any time and goes on."""
