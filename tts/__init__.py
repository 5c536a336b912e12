"""Shards as training data, and the voice that is trained from them. No Beam."""
