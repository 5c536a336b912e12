"""The stages: one module each, its PTransform on top, the plain functions under it."""
