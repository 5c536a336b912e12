"""Pronunciations: of the dictionary, by rule, and learned."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigurationError
from transforms.text.dictionary import Dictionary, default_dictionary
from transforms.text.g2p import GraphonePronouncer
from transforms.text.graphone_model import GraphoneModel, read_model, write_model
from transforms.text.graphones import Entry, GraphoneAligner
from transforms.text.ngrams import estimate
from transforms.text.pronunciation import MODEL_PATH, Pronouncer
from transforms.text.train_pronunciation import dictionary_entries, error_rates, is_held_out, learn

PRONOUNCER = Pronouncer()
ARPABET = "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH"
PHONES = frozenset(ARPABET.split())


def spell(word: str) -> str:
    return " ".join(PRONOUNCER.pronounce(word))


def test_the_dictionary_gives_all_its_pronunciations():
    assert PRONOUNCER.lookup("either") == (("IY", "DH", "ER"), ("AY", "DH", "ER"))
    assert PRONOUNCER.lookup("podnews") == ()


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("hello", "HH AH L OW"),
        ("podcasts", "P AO D K AE S T S"),
        ("buzzsprout's", "B AH Z S P R AW T S"),
        ("spotify's", "S P AO T AH F AY Z"),
        ("podnews", "P AA D N UW Z"),
        ("squadcast", "S K W AA D K AE S T"),
        ("turnin'", "T ER N IH N"),
        ("dont", "D OW N T"),
        ("theyll", "DH EY L"),
        ("sooooo", "S OW"),
        ("hmmmm", "HH M"),
        ("uhhuh", "AH HH AH"),
        ("rnz", "AA R EH N Z IY"),
        ("café", "K AH F EY"),
        ("Cridland", "K R IH D L AH N D"),
    ],
)
def test_words_in_and_out_of_the_dictionary(word: str, phones: str):
    assert spell(word) == phones


def test_what_may_be_a_compound_is_offered_as_one():
    assert ("L", "AY", "V", "S", "T", "R", "IY", "M") in PRONOUNCER.pronunciations("livestream", 4)


def test_variants_are_distinct_and_best_first():
    variants = PRONOUNCER.pronunciations("cridland", 3)
    assert len(set(variants)) == len(variants) == 3
    assert variants[0] == PRONOUNCER.pronounce("cridland")


@given(st.text(max_size=40))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_string_is_pronounced_in_phones_or_not_at_all(word: str):
    assert set(PRONOUNCER.pronounce(word)) <= PHONES


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz'", min_size=1, max_size=60))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_every_word_of_letters_has_a_pronunciation(word: str):
    assert bool(PRONOUNCER.pronounce(word)) == bool(word.strip("'"))


def test_what_can_not_be_pronounced_is_nothing():
    for word in ("", "'", "日本語", "мир", "1984", "a" * 100):
        assert PRONOUNCER.pronounce(word) == ()


def test_identity_names_the_model_and_the_dictionary():
    assert PRONOUNCER.identity.startswith("g2p-en:")
    assert PRONOUNCER.identity == Pronouncer().identity


# Files


def test_a_missing_dictionary_or_model_is_one_line(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="pronunciation dictionary"):
        Dictionary(tmp_path / "none.dict")
    with pytest.raises(ConfigurationError, match="pronunciation model"):
        Pronouncer(model_path=tmp_path / "none.npz").pronounce("zorblax")


@pytest.mark.parametrize("damage", [b"", b"not a zip", None])
def test_a_damaged_model_is_one_line(tmp_path: Path, damage: bytes | None):
    path = tmp_path / "model.npz"
    path.write_bytes(MODEL_PATH.read_bytes()[:1000] if damage is None else damage)
    with pytest.raises(ConfigurationError) as caught:
        read_model(path)
    assert "\n" not in str(caught.value)


def test_the_shipped_model_is_small_and_holds_no_pickle():
    assert MODEL_PATH.stat().st_size < 1_500_000
    with np.load(MODEL_PATH, allow_pickle=False) as file:
        assert all(file[name].dtype.kind in "iu" for name in file.files)


def test_letters_have_their_names():
    dictionary = default_dictionary()
    assert " ".join(dictionary.letters("abc")) == "EY B IY S IY"
    assert dictionary.is_spelled("bbc")
    assert not dictionary.is_spelled("nasa")
    assert not dictionary.is_spelled("us")


# Learning


def test_letters_are_aligned_with_the_phones_they_stand_for():
    entries = [Entry(word, tuple(phones.split())) for word, phones in _RHYMES]
    split = GraphoneAligner(entries).graphones()
    assert split[0] == (("sh", ("SH",)), ("o", ("AA",)), ("p", ("P",)))
    for entry, pieces in zip(entries, split, strict=True):
        assert "".join(letters for letters, _ in pieces) == entry.word
        assert tuple(phone for _, phones in pieces for phone in phones) == entry.phones


_RHYMES = [
    ("shop", "SH AA P"),
    ("ship", "SH IH P"),
    ("hop", "HH AA P"),
    ("hip", "HH IH P"),
    ("sip", "S IH P"),
    ("top", "T AA P"),
    ("tip", "T IH P"),
    ("hiss", "HH IH S"),
    ("toss", "T AA S"),
    ("posh", "P AA SH"),
    ("dish", "D IH SH"),
    ("rush", "R AH SH"),
    ("rash", "R AE SH"),
    ("ash", "AE SH"),
]


def test_what_can_not_be_aligned_is_left_out():
    assert GraphoneAligner([Entry("q", ("K", "Y", "UW")), Entry("a", ("AH",))]).graphones()[0] == ()


def test_probabilities_after_every_context_sum_to_one():
    sequences = [[3, 4, 5], [3, 4, 4], [5, 5, 3], [4], [3, 4, 5, 3], [3, 3]] * 3
    levels = estimate(sequences, 3, -1e9)
    model = {key: p for level in levels for key, p in zip(level.keys, np.exp(level.log_probability), strict=True)}
    backoff = {key: b for level in levels for key, b in zip(level.keys, np.exp(level.log_backoff), strict=True)}

    def chance(context: tuple[int, ...], symbol: int) -> float:
        key = 0
        for part in (*context, symbol):
            key = key << 9 | part
        if key in model:
            return float(model[key])
        weight = float(backoff.get(key >> 9, 1.0)) if context else 1.0
        return weight * chance(context[1:], symbol)

    for context in ((), (3,), (4,), (1,), (3, 4), (1, 3), (5, 5)):
        assert sum(chance(context, symbol) for symbol in (2, 3, 4, 5)) == pytest.approx(1.0, abs=1e-6)


@pytest.fixture(scope="module")
def some_entries() -> list[Entry]:
    return dictionary_entries(default_dictionary().path)[::100]


@pytest.fixture(scope="module")
def learned(some_entries: list[Entry]) -> GraphoneModel:
    return learn([entry for entry in some_entries if not is_held_out(entry.word)])


def test_learning_twice_gives_the_same_bytes(tmp_path: Path, some_entries: list[Entry]):
    for name in ("a", "b"):
        write_model(learn(some_entries[:400]), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_model_survives_its_file(tmp_path: Path, learned: GraphoneModel):
    write_model(learned, tmp_path / "m.npz")
    again = read_model(tmp_path / "m.npz")
    assert again.graphones == learned.graphones
    for one, other in zip(learned.levels, again.levels, strict=True):
        assert (one.keys == other.keys).all()
        assert np.abs(one.log_backoff - other.log_backoff).max() <= 0.051


def test_a_hundredth_of_a_dictionary_already_teaches_most_phones(learned: GraphoneModel):
    """The shipped model is judged by train_pronunciation --evaluate: 6 % of the phones of unseen words are wrong."""
    unseen = [entry for entry in dictionary_entries(default_dictionary().path) if is_held_out(entry.word)][::50]
    phone_errors, word_errors = error_rates(GraphonePronouncer(learned), unseen)
    assert phone_errors < 0.3
    assert word_errors < 0.85


@pytest.mark.slow
def test_the_shipped_model_is_what_the_dictionary_gives(capsys: pytest.CaptureFixture[str]):
    from transforms.text.train_pronunciation import main

    assert main(["--check"]) == 0
    assert "as learned" in capsys.readouterr().out
