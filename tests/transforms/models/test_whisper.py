"""Whisper by the real code, on a checkpoint of random weights: right shapes, order and times, whatever it writes."""

import hashlib
import itertools
import multiprocessing
import os
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from web_server import Site, serve
from whisper_checkpoint import write_checkpoint

from schemas.errors import ConfigurationError, EpisodeError, RealtalkError
from schemas.text import Evidence, Phone, Word
from transforms.models.base import MODEL_RATE, Aligner, Alignment, AlignmentError, Heard, Samples, Stretch
from transforms.models.choice import LANGUAGES
from transforms.models.whisper_aligner import WhisperAligner
from transforms.models.whisper_listener import Listened, WhisperListener, prompt_of
from transforms.models.whisper_model import WhisperModel, _fetched, precision_of
from transforms.models.whisper_times import Timed, in_order
from transforms.models.whisper_transcriber import WhisperTranscriber

whisper = pytest.importorskip("whisper", reason="openai-whisper (the extra whisper) is not installed")

WORDS = ["the", "earliest", "book", "of", "all", "don't", "was", "very", "beautiful"]


def noise(seconds: float, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * MODEL_RATE)).astype(np.float32)


@pytest.fixture(scope="module", autouse=True)
def few_tries() -> Iterator[None]:
    """What random weights write always fails: it is drawn anew once, not five times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("transforms.models.whisper_listener._TEMPERATURES", (0.4,))
        patch.setattr("transforms.models.whisper_listener._BATCH", {"cpu": 2})
        yield


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> WhisperModel:
    return WhisperModel(str(write_checkpoint(tmp_path_factory.mktemp("whisper") / "tiny.pt")), "cpu")


@pytest.fixture(scope="module")
def spans() -> list[Samples]:
    return [noise(seconds, seed) for seed, seconds in enumerate((3.0, 0.5, 12.0, 29.9))]


@pytest.fixture(scope="module")
def heard(checkpoint: WhisperModel, spans: list[Samples]) -> list[Heard]:
    return list(WhisperTranscriber(checkpoint).transcribe_all(spans, ["Ada Example"]))


def are_in_order(words: Sequence[Word], seconds: float) -> bool:
    inside = all(0.0 <= word.start < word.end <= seconds + 1e-9 for word in words)
    return inside and all(a.end <= b.start + 1e-9 for a, b in itertools.pairwise(words))


def test_every_span_is_heard_in_order_with_words_inside_of_it(heard: list[Heard], spans: list[Samples]) -> None:
    assert len(heard) == len(spans)
    assert sum(bool(one.words) for one in heard) >= 2
    for one, samples in zip(heard, spans, strict=True):
        assert are_in_order(one.words, len(samples) / MODEL_RATE)
        assert one.text.split() == [word.text for word in one.words]
        assert all(word.score < 0 for word in one.words)


def test_what_is_heard_comes_with_evidence(heard: list[Heard]) -> None:
    for one in heard:
        assert one.evidence is not None
        assert 0 <= one.evidence.no_speech <= 1
        assert one.evidence.log_probability < -1.0, "nonsense is unlikely"
        assert one.evidence.language == "en"
        assert one.evidence.language_probability is not None
        assert 0 < one.evidence.language_probability < 1


def test_the_same_is_heard_again_alone_and_in_another_batch(
    checkpoint: WhisperModel, heard: list[Heard], spans: list[Samples]
) -> None:
    (alone,) = WhisperTranscriber(checkpoint).transcribe_all(spans[2:3], ["Ada Example"])
    assert alone.text == heard[2].text
    assert WhisperTranscriber(checkpoint).transcribe(spans[2], ["Ada Example"]) == alone.words


def test_spans_are_read_batch_by_batch(checkpoint: WhisperModel) -> None:
    class Spans(Sequence):  # type: ignore[type-arg]
        asked = 0

        def __len__(self) -> int:
            return 9

        def __getitem__(self, place):  # type: ignore[no-untyped-def]
            self.asked += 1
            return noise(0.5, place)

    audio = Spans()
    first = next(WhisperTranscriber(checkpoint).transcribe_all(audio))
    assert first.evidence
    assert audio.asked == 2


def test_the_language_is_detected_once_from_several_spans(checkpoint: WhisperModel, spans: list[Samples]) -> None:
    three = spans[:3]
    heard = WhisperTranscriber(checkpoint, "auto").transcribe_all(three)
    found = {one.evidence.language for one in heard if one.evidence}
    listener = WhisperListener(checkpoint, "auto")
    each = [listener.language_probabilities(listener.encode([one]))[0] for one in three]
    assert found == {max(LANGUAGES[:99], key=lambda code: sum(one[code] for one in each))}


def test_an_english_model_has_no_languages(tmp_path: Path) -> None:
    source = WhisperModel(str(write_checkpoint(tmp_path / "english.pt", multilingual=False)), "cpu")
    (heard,) = WhisperTranscriber(source, "auto").transcribe_all([noise(1.0)])
    assert heard.evidence
    assert (heard.evidence.language, heard.evidence.language_probability) == ("en", None)
    with pytest.raises(ConfigurationError, match="knows English only"):
        WhisperTranscriber(source, "de").transcribe(noise(1.0))


def test_more_than_half_a_minute_is_refused(checkpoint: WhisperModel) -> None:
    with pytest.raises(ValueError, match="up to 30 s"):
        WhisperTranscriber(checkpoint).transcribe(noise(31.0))


def test_the_codes_are_whispers() -> None:
    assert tuple(whisper.tokenizer.LANGUAGES) == LANGUAGES


def test_the_prompt_tells_names_and_fillers() -> None:
    prompt = prompt_of(["Ada  Example", "The Workshop", "Ada Example"], "en")
    assert prompt.startswith("Ada Example, The Workshop. ")
    assert {"Um,", "uh,"} <= set(prompt.split())
    assert prompt_of([], "de") == ""
    assert len(prompt_of(["x" * 300, "y" * 300], "de")) < 400


@pytest.mark.parametrize("words", [WORDS, ["hello"], ["ja", "so", "ist", "es", "привет", "你好"]])
def test_every_given_word_gets_its_time(checkpoint: WhisperModel, words: list[str]) -> None:
    found = WhisperAligner(checkpoint).align(noise(4.0), words)
    assert [word.text for word in found.words] == words
    assert are_in_order(found.words, 4.0)
    assert all(word.score < 0 for word in found.words)
    assert min(word.score for word in found.words) <= found.score <= max(word.score for word in found.words)
    assert found.phones == ()


@pytest.mark.parametrize(
    ("seconds", "words", "why"),
    [(1.0, [], "no words"), (31.0, WORDS, "up to 30 s"), (0.0, WORDS, "up to 30 s"), (5.0, WORDS * 20, "tokens")],
)
def test_what_can_not_be_aligned_says_why(checkpoint: WhisperModel, seconds: float, words: list[str], why: str) -> None:
    with pytest.raises(AlignmentError, match=why):
        WhisperAligner(checkpoint).align(noise(seconds), words)


def test_more_words_than_time_do_not_fit() -> None:
    with pytest.raises(AlignmentError, match="don't fit"):
        in_order([Timed("a", 0.0, 0.0, -1.0)] * 10, 0.1)


def test_empty_and_backward_times_are_put_in_order() -> None:
    found = in_order([Timed("a", 0.5, 0.5, 0.0), Timed("b", 0.4, 0.6, 0.0), Timed("c", 1.0, 1.4, 0.0)], 1.0)
    assert [one.text for one in found] == ["a", "b", "c"]
    assert are_in_order([Word(one.text, one.start, one.end) for one in found], 1.0)


class Phones(Aligner):
    """Puts words one after the other from `start`, each with a phone."""

    identity = "phones of a test"

    def __init__(self, times: Sequence[tuple[float, float]]) -> None:
        self.times = times

    def align(self, samples: Samples, words: Sequence[str]) -> Alignment:
        timed = tuple(Word(word, *time, -3.0, word) for word, time in zip(words, self.times, strict=True))
        return Alignment(timed, tuple(Phone("AH", *time) for time in self.times), -3.0)

    def find(self, samples: Samples, words: Sequence[str]) -> Stretch | None:
        return None


def test_where_the_embedded_aligner_agrees_its_edges_and_phones_stand(checkpoint: WhisperModel) -> None:
    own = WhisperAligner(checkpoint).align(noise(4.0), WORDS)
    near = [(word.start + 0.005, word.end + 0.005) for word in own.words]
    found = WhisperAligner(checkpoint, phones=Phones(near)).align(noise(4.0), WORDS)
    assert [(word.start, word.end) for word in found.words] == near
    assert [word.score for word in found.words] == [word.score for word in own.words]
    assert len(found.phones) == len(WORDS)
    far = [(word.start + 50, word.end + 50) for word in own.words]
    assert WhisperAligner(checkpoint, phones=Phones(far)).align(noise(4.0), WORDS) == own


def test_what_is_heard_is_found_among_the_words(checkpoint: WhisperModel, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Heard(tuple(Word(text, 0.0, 0.1) for text in ["Book", "of", "all,", "um,", "was", "fairly", "beautiful."]))

    def listen(self: WhisperListener, spans: Sequence[Samples], language: str, names: Sequence[str] = ()):  # type: ignore[no-untyped-def]
        evidence = Evidence(0.1, -0.2, language, 0.9)
        yield Listened(Heard(said.words, evidence), self.encode(spans)[0])

    monkeypatch.setattr(WhisperListener, "listen", listen)
    words = [*["nobody", "knew", "and"], *WORDS, *["they", "were", "never", "surpassed"]]
    found = WhisperAligner(checkpoint).find(noise(4.0), words)
    assert found is not None
    assert [word.text for word in found.alignment.words] == [*WORDS[2:]]
    assert words[found.first :][: len(WORDS) - 2] == [*WORDS[2:]]
    assert found.heard is not None
    assert found.heard.words == said.words
    assert WhisperAligner(checkpoint).find(noise(4.0), ["seven", "yellow", "elephants", "marched"]) is None
    assert WhisperAligner(checkpoint).find(noise(4.0), []) is None


def test_identity_is_of_the_weights_and_the_settings(checkpoint: WhisperModel, tmp_path: Path) -> None:
    sha256 = hashlib.sha256(Path(checkpoint.model).read_bytes()).hexdigest()
    assert f"whisper:tiny.pt sha256:{sha256[:16]} fp32" in WhisperTranscriber(checkpoint).identity
    other = WhisperModel(str(write_checkpoint(tmp_path / "tiny.pt", seed=1)), "cpu")
    identities = {
        WhisperTranscriber(checkpoint).identity,
        WhisperTranscriber(other).identity,
        WhisperTranscriber(checkpoint, "auto").identity,
        WhisperTranscriber(WhisperModel(checkpoint.model, "cpu", "fp16")).identity,
        WhisperAligner(checkpoint).identity,
        WhisperAligner(checkpoint, names=["Ada"]).identity,
        WhisperAligner(checkpoint, phones=Phones([])).identity,
    }
    assert len(identities) == 7
    assert (
        WhisperTranscriber(WhisperModel(checkpoint.model, "auto")).identity == WhisperTranscriber(checkpoint).identity
    )


def test_identity_of_a_named_model_needs_no_download() -> None:
    assert WhisperModel("turbo").identity.startswith("whisper:turbo sha256:aff26ae408abcba5 fp32")
    assert WhisperModel("turbo").sha256 == WhisperModel("large-v3-turbo").sha256


def test_a_model_is_loaded_once_and_travels_without_weights(checkpoint: WhisperModel) -> None:
    assert checkpoint.load() is WhisperModel(checkpoint.model, "cpu").load()
    assert len(pickle.dumps(WhisperTranscriber(checkpoint))) < 1000


def error_of(source: WhisperModel) -> str:
    with pytest.raises(RealtalkError) as raised:
        WhisperTranscriber(source).transcribe(noise(1.0))
    line = str(raised.value)
    assert "\n" not in line
    return line


def test_files_that_are_no_checkpoint_are_told_in_a_line(tmp_path: Path, checkpoint: WhisperModel) -> None:
    import torch

    missing, damaged, other, small = (tmp_path / f"{name}.pt" for name in ("missing", "damaged", "other", "small"))
    damaged.write_bytes(Path(checkpoint.model).read_bytes()[:5000])
    torch.save({"weights": torch.zeros(3)}, other)
    whole = torch.load(checkpoint.model, weights_only=True)
    torch.save({**whole, "dims": {**whole["dims"], "n_text_state": 32}}, small)
    assert error_of(WhisperModel(str(missing), "cpu")).startswith(f"{missing}: no Whisper checkpoint can be read there")
    for path in (damaged, other, small):
        assert error_of(WhisperModel(str(path), "cpu")).startswith(f"whisper-model: {path} is no Whisper checkpoint (")


def test_a_name_that_is_none_names_the_nearest() -> None:
    line = error_of(WhisperModel("trubo", "cpu"))
    assert line.startswith("there is no Whisper model 'trubo'; did you mean 'turbo'?")


def test_a_hub_that_does_not_answer_says_where_the_file_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("[Errno -2] Name or service not known")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    line = error_of(WhisperModel("tiny", "cpu"))
    assert line.startswith("whisper-hub: Whisper tiny can't be fetched from https://openaipublic.azureedge.net/")
    assert f"put the file at {tmp_path}/whisper/tiny.pt" in line


def test_a_package_that_is_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert error_of(WhisperModel("tiny", "cpu")) == "Whisper is not installed; pip install 'realtalk[whisper]'"


def test_half_precision_and_a_gpu_that_are_not_there_are_told(
    checkpoint: WhisperModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert "needs a GPU" in error_of(WhisperModel(checkpoint.model, "auto", "fp16"))
    assert "no GPU can be used here" in error_of(WhisperModel(checkpoint.model, "cuda"))


def test_where_memory_runs_out_batches_get_smaller_and_then_a_line_says_so(
    checkpoint: WhisperModel, spans: list[Samples], heard: list[Heard], monkeypatch: pytest.MonkeyPatch
) -> None:
    encode, most = WhisperListener.encode, 1

    def limited(self: WhisperListener, spans: Sequence[Samples]) -> object:
        if len(spans) > most:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB\nGPU 0 has ...")
        return encode(self, spans)

    monkeypatch.setattr(WhisperListener, "encode", limited)
    again = list(WhisperTranscriber(checkpoint).transcribe_all(spans[:3], ["Ada Example"]))
    assert [one.text for one in again] == [one.text for one in heard[:3]]
    most = 0
    with pytest.raises(EpisodeError, match=r"^out-of-memory: listening with Whisper .*smaller model"):
        WhisperTranscriber(checkpoint).transcribe(spans[0])


def test_a_gpu_that_is_asked_for_is_not_asked_of_the_machine_that_starts_the_build() -> None:
    assert precision_of("auto", "cuda") == "fp16"
    assert precision_of("fp32", "cuda") == "fp32"
    assert precision_of("auto", "cpu") == "fp32"


def _fetch(address: str, cache: str) -> str:
    os.environ["XDG_CACHE_HOME"] = cache
    whisper._MODELS["tiny-made"] = address
    return hashlib.sha256(Path(_fetched("tiny-made")).read_bytes()).hexdigest()


def test_workers_that_fetch_the_same_weights_at_once_both_get_them_whole(tmp_path: Path) -> None:
    content = write_checkpoint(tmp_path / "tiny.pt").read_bytes()
    with Site() as site:
        site.put(f"/{hashlib.sha256(content).hexdigest()}/tiny-made.pt", serve(content))
        address = site.url(f"/{hashlib.sha256(content).hexdigest()}/tiny-made.pt")
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            fetched = pool.starmap(_fetch, [(address, str(tmp_path / "cache"))] * 2, chunksize=1)
        assert fetched == [hashlib.sha256(content).hexdigest()] * 2
        assert len(site.requests) == 1, "the second takes what the first has fetched"
