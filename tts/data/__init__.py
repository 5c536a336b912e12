"""Shards as training data: clips, features, batches."""
