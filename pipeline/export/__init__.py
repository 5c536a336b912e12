"""Exports: the chosen clips of a dataset in the files of other trainers and tools, one module a format."""
