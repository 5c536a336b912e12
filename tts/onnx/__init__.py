"""A voice as ONNX: writing it from one that torch runs, and speaking from it without torch."""
