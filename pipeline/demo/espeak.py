"""Speech from eSpeak NG, an optional extra (GPL-3.0), through its C interface (speak_lib.h of espeak-ng 1.51)."""

import ctypes
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from schemas.errors import RealtalkError

_AUDIO_OUTPUT_SYNCHRONOUS = 2
_CHARS_UTF8 = 1
_POSITION_CHARACTER = 1
_RATE, _PITCH, _RANGE, _WORDGAP = 1, 3, 4, 7
_EVENT_LIST_TERMINATED, _EVENT_WORD = 0, 1
_SEED = 1


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True)
class Voice:
    """An eSpeak voice ("en-us+f3"), its speed in words a minute, its pitch and pitch range (0..100)."""

    name: str
    rate: int = 160
    pitch: int = 50
    range: int = 50


@dataclass(frozen=True)
class Spoken:
    """Samples (float32, shape (n,)) at `rate` Hz, and (start of the word's first character in the text, seconds)."""

    samples: NDArray[np.float32]
    rate: int
    words: tuple[tuple[int, float], ...]


class Espeak:
    """Speaks text. Raises RealtalkError where the extra is not installed.

    The library goes on from where its last utterance left it: samples repeat from process to process, for the same
    utterances in the same order.
    """

    @cached_property
    def _library(self) -> ctypes.CDLL:
        try:
            import espeakng_loader
        except ImportError as error:
            raise RealtalkError(
                "the demonstration speaks with eSpeak NG, which is not installed; run: pip install 'realtalk[demo]'"
            ) from error
        library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
        # Its default data path is that of the machine it was built on.
        data = str(espeakng_loader.get_data_path()).encode()
        self._rate = library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data, 0)
        if self._rate <= 0:
            raise RealtalkError(f"eSpeak NG finds no voices in {data.decode()}; reinstall espeakng-loader")
        # Breathy voices add noise, which is seeded with the time otherwise.
        library.espeak_ng_SetRandSeed(ctypes.c_long(_SEED))
        return library

    def speak(self, text: str, voice: Voice) -> Spoken:
        """Speak one text with one voice."""
        library = self._library
        pieces: list[NDArray[np.int16]] = []
        words: list[tuple[int, float]] = []

        def receive(samples: "ctypes._Pointer[ctypes.c_short]", count: int, events: "ctypes._Pointer[_Event]") -> int:
            if samples and count:
                pieces.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
            index = 0
            while events[index].type != _EVENT_LIST_TERMINATED:
                if events[index].type == _EVENT_WORD:
                    words.append((events[index].text_position - 1, events[index].audio_position / 1000))
                index += 1
            return 0

        callback = _Callback(receive)
        library.espeak_SetSynthCallback(callback)
        if library.espeak_SetVoiceByName(voice.name.encode()) != 0:
            raise RealtalkError(f"eSpeak NG has no voice {voice.name!r}")
        for parameter, value in ((_RATE, voice.rate), (_PITCH, voice.pitch), (_RANGE, voice.range), (_WORDGAP, 0)):
            library.espeak_SetParameter(parameter, value, 0)
        data = text.encode("utf-8")
        library.espeak_Synth(data, len(data) + 1, 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None)
        library.espeak_Synchronize()
        samples = np.concatenate([np.zeros(0, np.int16), *pieces]).astype(np.float32) / np.float32(32768)
        return Spoken(samples, self._rate, tuple(words))
