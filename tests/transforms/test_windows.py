"""Windows on disk: the same bytes for the same windows, all or nothing."""

from pathlib import Path

import numpy as np
import pytest

from schemas.errors import EpisodeError
from transforms.windows import NOBODY, Windows, load_windows, save_windows


def some() -> Windows:
    start = np.arange(4) * 0.5
    embedding = np.eye(4, 8, dtype=np.float32)
    return Windows(start, start + 1.6, embedding, np.array([0, 1, NOBODY, 0], np.int16), np.full(400, -30, np.int8))


def test_round_trip(tmp_path: Path) -> None:
    save_windows(tmp_path / "deep" / "w.npz", some())
    found = load_windows(tmp_path / "deep" / "w.npz")
    np.testing.assert_allclose(found.start, some().start)
    np.testing.assert_allclose(found.middle, some().start + 0.8, atol=1e-6)
    np.testing.assert_array_equal(found.speaker, [0, 1, -1, 0])
    np.testing.assert_array_equal(found.levels, some().levels)
    assert found.embedding.dtype == np.float16


def test_same_windows_same_bytes_and_numpy_reads_them(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        save_windows(tmp_path / name, some())
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["embedding"].dtype == np.float16
        assert sorted(arrays.files) == ["embedding", "end", "levels", "speaker", "start"]


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("transforms.windows.os.replace", full)
    with pytest.raises(OSError, match="no space"):
        save_windows(tmp_path / "w.npz", some())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [None, b"", b"not a zip", b"PK\x03\x04 cut off"])
def test_missing_or_damaged_is_one_clear_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "w.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EpisodeError, match=r"windows-unreadable: .*build again"):
        load_windows(path)
