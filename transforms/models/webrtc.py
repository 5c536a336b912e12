"""Speech detection by the voice activity detector of WebRTC (webrtcvad)."""

import warnings
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import ConfigurationError
from transforms.models.base import MODEL_RATE, Samples, SpeechDetector
from transforms.models.frames import whole_frames

_FULL_SCALE = 32_767.0
_FRAME_MILLISECONDS = (10, 20, 30)
_AGGRESSIVENESS = range(4)


class WebRtcDetector(SpeechDetector):
    """The mean of webrtcvad's decisions at one or more settings of its aggressiveness (0 lenient to 3 strict).

    The detector decides yes or no by Gaussian mixtures over six bands that it adapts all the way: what it says of a
    frame depends on minutes before it, so a recording has to pass through it in one stream. Mean of 2 and 3: the strict
    one alone loses speech, the lenient ones let room tone through. Music passes for speech.
    """

    def __init__(self, aggressiveness: int | tuple[int, ...] = (2, 3), frame_milliseconds: int = 20) -> None:
        """Raises ConfigurationError for values that webrtcvad does not know, or where it is not installed."""
        levels = (aggressiveness,) if isinstance(aggressiveness, int) else tuple(aggressiveness)
        if not levels or any(level not in _AGGRESSIVENESS for level in levels):
            raise ConfigurationError(
                f"webrtc: aggressiveness is {aggressiveness!r}; it takes 0, 1, 2, 3 or several of them"
            )
        if frame_milliseconds not in _FRAME_MILLISECONDS:
            raise ConfigurationError(f"webrtc: frame_milliseconds is {frame_milliseconds!r}; it takes 10, 20 or 30")
        self._levels = levels
        self._milliseconds = frame_milliseconds
        try:
            self._version = version("webrtcvad")
        except PackageNotFoundError as error:
            raise ConfigurationError(
                "webrtc: webrtcvad is not installed; pip install webrtcvad (it needs a C compiler), or take silero"
            ) from error

    @property
    def identity(self) -> str:
        levels = "+".join(map(str, self._levels))
        return f"webrtcvad-{self._version}:aggressiveness={levels},frame={self._milliseconds}ms"

    @property
    def frame_seconds(self) -> float:
        return self._milliseconds / 1000

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        return np.concatenate([*self.stream([samples]), np.zeros(0, np.float32)])

    def stream(self, blocks: Iterable[Samples]) -> Iterator[NDArray[np.float32]]:
        detectors = [_new_detector(level) for level in self._levels]
        for frames in whole_frames(blocks, MODEL_RATE * self._milliseconds // 1000):
            # Clipped first: a sample that wraps around is a click.
            pcm = np.rint(np.clip(frames, -1.0, 1.0) * _FULL_SCALE).astype(np.int16)
            said = [[detector.is_speech(frame.tobytes(), MODEL_RATE) for detector in detectors] for frame in pcm]
            yield np.mean(said, axis=1, dtype=np.float32)


def _new_detector(level: int) -> Any:
    with warnings.catch_warnings():
        # It imports pkg_resources for its version alone, and setuptools warns of that.
        warnings.simplefilter("ignore")
        try:
            import webrtcvad
        except ImportError as error:
            raise ConfigurationError(
                f"webrtc: webrtcvad can't be imported ({error}); it needs pkg_resources: pip install 'setuptools<82'"
            ) from error
    return webrtcvad.Vad(level)
