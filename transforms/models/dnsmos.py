"""DNSMOS P.835: how a clip sounds to people, guessed by a small network (overall, signal, background; 1..5).

C. Reddy, V. Gopal, R. Cutler: DNSMOS P.835, ICASSP 2022. The weights come with the `speechmos` package (MIT); of that
package only the file is used: its own `run` costs five times as much, mostly for a fourth score (P.808) and threads.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from schemas.errors import ConfigurationError
from transforms.models.base import MODEL_RATE, Quality, QualityScorer, Samples

if TYPE_CHECKING:
    import onnxruntime

# The network was trained on windows of this length (s) and takes no other.
WINDOW_SECONDS = 9.01
_WINDOW_SAMPLES = int(WINDOW_SECONDS * MODEL_RATE)

# The network's raw outputs -> ratings: the reference implementation's second-order fits to P.835 ratings of people.
_OVERALL_FIT = (-0.06766283, 1.11546468, 0.04602535)
_SIGNAL_FIT = (-0.08397278, 1.22083953, 0.0052439)
_BACKGROUND_FIT = (-0.13166888, 1.60915514, -0.39604546)


class Dnsmos(QualityScorer):
    """DNSMOS P.835 on one 9.01 s window a clip, one thread.

    A shorter clip is repeated until it fills the window, as in the reference implementation; of a longer one the
    middle is heard (the reference averages a window a second, at as many times the cost).
    """

    def __init__(self) -> None:
        self._path = _weights()
        self._hash = hashlib.sha256(self._path.read_bytes()).hexdigest()[:16]
        self._session: onnxruntime.InferenceSession | None = None

    @property
    def identity(self) -> str:
        return f"dnsmos:p835:{self._hash}:window={WINDOW_SECONDS}"

    def score(self, samples: Samples) -> Quality:
        """Rate samples (16 kHz, shape (n,), -1..1). Nothing at all is rated like silence."""
        if self._session is None:
            self._session = _open(self._path)
        raw_signal, raw_background, raw_overall = self._session.run(None, {"input_1": scored_window(samples)[None, :]})[
            0
        ][0]
        return Quality(
            overall=float(np.polyval(_OVERALL_FIT, raw_overall)),
            signal=float(np.polyval(_SIGNAL_FIT, raw_signal)),
            background=float(np.polyval(_BACKGROUND_FIT, raw_background)),
        )

    def __getstate__(self) -> dict[str, object]:
        # A session can't be pickled; a worker opens its own.
        return {**self.__dict__, "_session": None}


def scored_window(samples: Samples) -> Samples:
    """The window that is scored: the middle of the samples, repeated where they are too short, shape (144160,)."""
    if len(samples) == 0:
        return np.zeros(_WINDOW_SAMPLES, np.float32)
    if len(samples) < _WINDOW_SAMPLES:
        samples = np.tile(samples, -(-_WINDOW_SAMPLES // len(samples)))
        return np.ascontiguousarray(samples[:_WINDOW_SAMPLES], dtype=np.float32)
    first = (len(samples) - _WINDOW_SAMPLES) // 2
    return np.ascontiguousarray(samples[first : first + _WINDOW_SAMPLES], dtype=np.float32)


def _weights() -> Path:
    import importlib.util

    # find_spec does not import the package, whose import would load librosa and numba.
    spec = importlib.util.find_spec("speechmos")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "dnsmos_models" / "sig_bak_ovr.onnx"
        if path.is_file():
            return path
    raise ConfigurationError(
        "DNSMOS: the package speechmos, which holds its weights, is not installed; run: pip install speechmos==0.0.1.1"
    )


def _open(path: Path) -> "onnxruntime.InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread: workers share the cores, and sums in a fixed order give the same score on every machine of a kind.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
