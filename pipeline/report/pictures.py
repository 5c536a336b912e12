"""Small pictures of a clip: its outline and its spectrogram, as what a page can hold inside of itself."""

import struct
import zlib
from base64 import b64encode

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

PEAKS = 300
COLUMNS, ROWS = 360, 80
_SHADES = 16
#: Least and most of the shown range, in dB below the loudest point of the clip.
_RANGE_DB = 70.0
# Dark to light in even steps of lightness, so it reads without colour too ("magma", van der Walt and Smith 2015).
_ANCHORS = (
    (0, 0, 4), (28, 16, 68), (79, 18, 123), (129, 37, 129), (181, 54, 122), (229, 80, 100), (251, 135, 97),
    (254, 194, 135), (252, 253, 191),
)  # fmt: skip


def peaks(samples: Samples, count: int = PEAKS) -> tuple[float, ...]:
    """The loudest sample of each of at most `count` equal parts, 0 to 1 of full scale. `samples` has shape (n,)."""
    if not len(samples):
        return ()
    starts = np.unique(np.linspace(0, len(samples), count, endpoint=False).astype(np.int64))
    loudest = np.maximum.reduceat(np.abs(samples), starts)
    return tuple(round(min(float(value), 1.0), 3) for value in loudest)


def spectrogram(samples: Samples, rate: int) -> bytes:
    """A PNG of at most COLUMNS by ROWS points: time to the right, from 0 Hz below to half the rate above.

    Energy in dB below the clip's loudest point, of Hann windows of 25 ms.
    """
    return png(_shades(samples, rate), _palette())


def data_uri(kind: str, content: bytes) -> str:
    """A file of the media type `kind` as a URL that holds it."""
    return f"data:{kind};base64,{b64encode(content).decode('ascii')}"


def png(points: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """A PNG of 4-bit indices, shape (rows, columns), into a palette, shape (at most 16, 3).

    Written by RFC 2083: this is all that a page needs of a picture library.
    """
    rows, columns = points.shape
    padded = np.pad(points, ((0, 0), (0, columns % 2)))
    packed = (padded[:, ::2] << 4 | padded[:, 1::2]).astype(np.uint8)
    # Each line begins with the number of its filter: 0, none.
    lines = np.pad(packed, ((0, 0), (1, 0))).tobytes()
    header = struct.pack(">IIBBBBB", columns, rows, 4, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", palette.tobytes()), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    checked = name + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def _shades(samples: Samples, rate: int) -> NDArray[np.uint8]:
    """Shape (ROWS, columns), the highest frequency first; 0 is the darkest."""
    window = max(2 * ROWS, int(0.025 * rate))
    padded = np.pad(samples.astype(np.float64), (window // 2, window - window // 2))
    columns = max(1, min(COLUMNS, len(samples) // (window // 4)))
    starts = np.linspace(0, len(padded) - window, columns).astype(np.int64)
    frames = padded[starts[:, None] + np.arange(window)] * np.hanning(window)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    edges = np.linspace(0, power.shape[1], ROWS, endpoint=False).astype(np.int64)
    rows = np.maximum.reduceat(power, edges, axis=1).T[::-1]
    level = 10 * np.log10(np.maximum(rows, 1e-12) / max(float(rows.max()), 1e-12))
    return np.asarray(np.clip((level / _RANGE_DB + 1) * _SHADES, 0, _SHADES - 1), np.uint8)


def _palette() -> NDArray[np.uint8]:
    places = np.linspace(0, len(_ANCHORS) - 1, _SHADES)
    anchors = np.array(_ANCHORS, np.float64)
    return (
        np.column_stack([np.interp(places, np.arange(len(anchors)), part) for part in anchors.T])
        .round()
        .astype(np.uint8)
    )
