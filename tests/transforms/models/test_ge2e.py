"""GE2E: the front end and the network as the weights were trained with, and no work done twice."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import ConfigurationError
from transforms.audio import read_span
from transforms.models import ge2e
from transforms.models.base import SpeakerEmbedder
from transforms.models.ge2e import Ge2eEmbedder

WINDOW = 25_600


@pytest.fixture(scope="module")
def embedder() -> Ge2eEmbedder:
    return Ge2eEmbedder()


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.05, round(seconds * 16_000)).astype(np.float32)


def test_points_have_unit_length_and_do_not_depend_on_the_level(embedder: Ge2eEmbedder) -> None:
    windows = np.stack([noise(1.6), noise(1.6) * 0.1])
    found = embedder.embed(windows)
    assert found.shape == (2, 256)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(found[0], found[1], atol=1e-3)


def test_windows_of_a_stretch_are_the_windows_alone(embedder: Ge2eEmbedder) -> None:
    samples = noise(4.0)
    starts = np.array([0, 8_000, 16_000, 38_400])
    shared = embedder.embed_at(samples, starts)
    alone = SpeakerEmbedder.embed_at(embedder, samples, starts)
    # Only the outermost frames differ: alone they see silence beyond the window's edge.
    assert np.all(np.sum(shared * alone, axis=1) > 0.98)


def test_where_a_stretch_begins_does_not_matter(embedder: Ge2eEmbedder) -> None:
    samples = noise(6.0)
    whole = embedder.embed_at(samples, np.array([32_000]))
    later = embedder.embed_at(samples[16_000:], np.array([16_000]))
    np.testing.assert_allclose(whole, later, atol=1e-4)


def test_outside_of_the_samples_is_silence(embedder: Ge2eEmbedder) -> None:
    samples = noise(1.0)
    padded = np.concatenate([np.zeros(8_000, np.float32), samples, np.zeros(1_600, np.float32)])
    found = embedder.embed_at(samples, np.array([-8_000]))
    np.testing.assert_allclose(found, embedder.embed_at(padded, np.array([0])), atol=1e-4)


def test_digital_silence_gives_numbers(embedder: Ge2eEmbedder) -> None:
    assert np.all(np.isfinite(embedder.embed(np.zeros((1, WINDOW), np.float32))))


def test_nothing_gives_nothing(embedder: Ge2eEmbedder) -> None:
    assert embedder.embed(np.zeros((0, WINDOW), np.float32)).shape == (0, 256)
    assert embedder.embed_at(noise(2.0), np.zeros(0, np.int64)).shape == (0, 256)


def test_batches_do_not_change_the_answer(embedder: Ge2eEmbedder) -> None:
    windows = np.stack([noise(1.6, seed) for seed in range(40)])
    np.testing.assert_allclose(embedder.embed(windows)[35:], embedder.embed(windows[35:]), atol=1e-5)


def test_it_says_which_weights_it_is_and_travels_without_them(embedder: Ge2eEmbedder) -> None:
    embedder.embed(noise(1.6)[None])
    travelled = pickle.dumps(embedder)
    assert len(travelled) < 2_000
    assert pickle.loads(travelled).identity == embedder.identity
    assert embedder.identity.startswith("ge2e:")


def test_missing_package_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ge2e, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match="pip install Resemblyzer"):
        Ge2eEmbedder()


def test_a_reader_is_nearer_to_themselves_than_to_others(recordings: Path, embedder: Ge2eEmbedder) -> None:
    readers = {}
    for reader in ("1688", "2033", "367"):
        files = sorted((recordings / "speech" / reader).glob("*.flac"))[:2]
        samples = [read_span(file, 0.5, 3.5) for file in files]
        readers[reader] = [embedder.embed_at(one, np.arange(0, 20_000, 8_000)).mean(axis=0) for one in samples]
    for reader, (one, other) in readers.items():
        strangers = [voice for name, voices in readers.items() if name != reader for voice in voices]
        assert one @ other > max(one @ stranger for stranger in strangers)
