"""A clip's audio against what its row says of it: does it decode, whole, and is it as long as said?"""

import hashlib
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

# No clip is longer, in seconds; what claims to be is not decoded, so that a forged header can't claim all memory.
_LONGEST_SECONDS = 120.0
_MARK = b"fLaC"
# Bytes of a FLAC at which STREAMINFO keeps the MD5 of the samples (RFC 9639, section 8.2).
_MD5 = slice(26, 42)
_NO_MD5 = bytes(16)


def audio_fault(content: bytes | None, duration: float | None, sampling_rate: int | None) -> str:
    """What is wrong with a clip's FLAC, in words; "" where it is mono, decodes to the samples that were encoded, and
    has the `duration` (s, to one sample) and `sampling_rate` (Hz) that its row says.
    """
    import soundfile

    if not content:
        return "holds no audio"
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            fault = _fault_of_shape(file, duration, sampling_rate)
            if fault:
                return fault
            samples = file.read(dtype="int16")
            frames, is_flac = file.frames, file.format == "FLAC"
    except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
        return f"does not decode ({' '.join(str(error).split())})"
    if len(samples) != frames:
        return f"breaks off: {len(samples)} of {frames} samples decode"
    # libsndfile passes over broken frames without an error; the hash that the encoder left does not.
    if is_flac and content[:4] == _MARK and content[_MD5] != _NO_MD5 and _md5(samples) != content[_MD5]:
        return "does not decode to the samples that were encoded (their MD5 differs)"
    return ""


def _fault_of_shape(file: Any, duration: float | None, sampling_rate: int | None) -> str:
    frames, rate, channels = file.frames, file.samplerate, file.channels
    if channels != 1:
        return f"has {channels} channels, not one"
    if rate != sampling_rate:
        return f"has {rate} samples a second, its row says {sampling_rate}"
    if duration is None or not abs(frames / rate - duration) * rate <= 1.0:
        return f"lasts {frames / rate:.3f} s, its row says {'nothing' if duration is None else f'{duration:.3f} s'}"
    if frames / rate > _LONGEST_SECONDS:
        return f"claims to last {frames / rate:.0f} s; no clip lasts more than {_LONGEST_SECONDS:.0f}"
    return ""


def _md5(samples: NDArray[np.int16]) -> bytes:
    little_endian = np.ascontiguousarray(samples, dtype="<i2")
    return hashlib.md5(little_endian.tobytes(), usedforsecurity=False).digest()
