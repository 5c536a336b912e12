"""pocketsphinx: the embedded aligner and recogniser, on the en-us model and the CMU dictionary inside its wheel.

What the library does with a wrong call is a segmentation fault, which kills a worker; `sphinx_decoder` keeps the order
of its calls in one place.
"""

from transforms.models.sphinx_aligner import SphinxAligner
from transforms.models.sphinx_recogniser import SphinxTranscriber

__all__ = ["SphinxAligner", "SphinxTranscriber"]
