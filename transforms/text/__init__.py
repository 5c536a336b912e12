"""Captions of every format, words as spoken and back, pronunciation. Plain Python, no Beam."""
