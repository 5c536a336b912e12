"""The networks of a voice: from symbols to mel spectrograms, and from those to samples."""
