"""Wrong words in a clip's text: the features tell them, trees judge them."""

from pathlib import Path

import numpy as np
import pytest
from espeak_speech import speak

from pipeline.demo.espeak import Voice
from transforms.models.base import AlignmentError
from transforms.models.boosted_trees import BoostedTrees, Tree, read_trees
from transforms.models.sphinx_decoder import Segment, as_pcm
from transforms.models.sphinx_edits import LANGUAGE_WEIGHT, edit_arcs, language_gain, short_words
from transforms.models.sphinx_rivals import Talk, common_words
from transforms.models.sphinx_verifier import SphinxVerifier
from transforms.models.verifier_features import (
    FEATURES,
    Fitted,
    Rival,
    language_features,
    rival_features,
    word_features,
)

VOICE = Voice("en-us+f5", rate=150)
TEXT = "the forms of printed letters should be beautiful"
TALK = (TEXT, "by the arrangement on the page", "mountains are high in the south")
GOP = FEATURES.index("gop")


@pytest.fixture(scope="module")
def verifier() -> SphinxVerifier:
    return SphinxVerifier()


def test_a_word_that_is_not_said_has_far_better_rivals(verifier: SphinxVerifier) -> None:
    samples, words = speak(TEXT, VOICE).samples, TEXT.split()
    talk = verifier.talk(TALK)
    heard = verifier.listen(samples, talk)
    right = verifier.features(heard, words)
    assert right.shape == (len(words), len(FEATURES))
    assert np.isfinite(right).all()
    place = words.index("letters")
    wrong = verifier.features(heard, [*words[:place], "mountains", *words[place + 1 :]])
    assert wrong[place, GOP] < right[place, GOP] - 1.0
    held = FEATURES.index("english_held")
    assert wrong[place, held] == 0.0


def test_a_missing_word_is_among_what_else_may_be_said(verifier: SphinxVerifier) -> None:
    samples, words = speak(TEXT, VOICE).samples, TEXT.split()
    talk = verifier.talk(TALK)
    place = words.index("printed")
    lacking = [*words[:place], *words[place + 1 :]]
    rows = verifier.features(verifier.listen(samples, talk), lacking)
    gap, inside = FEATURES.index("english_more_before"), FEATURES.index("english_instead")
    assert rows[place, gap] + rows[place - 1, inside] + rows[place, inside] >= 1.0


def test_a_missing_short_word_is_put_in_again_by_an_edit(verifier: SphinxVerifier) -> None:
    samples, words = speak(TEXT, VOICE).samples, TEXT.split()
    talk = verifier.talk(TALK)
    place = words.index("of")
    lacking = [*words[:place], *words[place + 1 :]]
    heard = verifier.listen(samples, talk)
    better = FEATURES.index("edited_better")
    right = verifier.features(heard, words)[[place - 1, place + 1], better]
    wrong = verifier.features(heard, lacking)[[place - 1, place], better]
    assert (wrong > 3.0).all()
    assert (right < wrong).all()


def test_the_right_text_scores_better_than_the_wrong_one(verifier: SphinxVerifier) -> None:
    samples = speak(TEXT, VOICE).samples
    wrong_text = TEXT.replace("letters", "mountains")
    right = verifier.score(samples, TEXT.split(), TALK)
    wrong = verifier.score(samples, wrong_text.split(), (wrong_text, *TALK[1:]))
    assert 0.0 <= wrong < right <= 1.0


def test_what_can_not_be_aligned_is_surely_wrong(verifier: SphinxVerifier) -> None:
    silence = np.zeros(16_000, np.float32)
    assert verifier.score(silence, ["hello"], ["hello"]) == 0.0
    with pytest.raises(AlignmentError):
        verifier.listen(silence, verifier.talk(["hello"]))


def test_words_that_nobody_can_pronounce_are_left_out_of_a_talk(verifier: SphinxVerifier) -> None:
    talk = Talk([["hello", "1984", "there"], []], verifier.pronouncer)
    path = talk.recognise(as_pcm(speak("hello there", VOICE).samples))
    assert path is not None
    assert "1984" not in {word.text for word in path.words}


def test_common_words_are_those_of_english() -> None:
    words = common_words()
    assert {"the", "and", "of", "you"} <= words.chances.keys()
    assert sum(words.chances.values()) == pytest.approx(1.0)
    assert "the DH AH" in words.pronunciations


def test_rivals_tell_where_they_differ_from_the_text() -> None:
    """The rival has the second word, another one instead of the first, and one more at the end."""
    own = fitted(word("a", 0, 10, -3.0), word("b", 10, 20, -2.0))
    other = fitted(word("c", 0, 10, -1.0), word("b", 11, 20, -2.0), word("d", 20, 30, -2.0))
    rows = rival_features(own, [Rival(other.words, other), Rival(own.words, own)])
    columns = dict(zip(FEATURES[-rows.shape[1] :], rows.T.tolist(), strict=True))
    assert columns["english_held"] == [0.0, 1.0]
    assert columns["english_gain"] == [20.0, 0.0]
    assert columns["english_mean_gain"] == [2.0, 0.0]
    assert columns["english_instead"] == [1.0, 0.0]
    assert columns["english_more_after"] == [0.0, 1.0]
    assert columns["english_before_held"] == [1.0, 0.0]
    assert columns["english_share_held"] == [0.5, 0.5]
    assert columns["edited_held"] == [1.0, 1.0]
    assert columns["edited_gain"] == [0.0, 0.0]


def test_a_stretch_of_other_words_counts_all_that_is_between_words() -> None:
    """The text leaves ten frames between its words to silence, which fits 3 a frame worse than the rival's word."""
    silence = Segment("", 10, 20, -40.0, (Segment("SIL", 10, 20, -40.0),))
    own = Fitted((first := word("cup", 0, 10, -1.0), last := word("tea", 20, 30, -1.0)), (first, silence, last))
    other = fitted(first, word("of", 10, 20, -1.0), last)
    rows = rival_features(own, [Rival(other.words, other), Rival((), None)])
    columns = dict(zip(FEATURES[-rows.shape[1] :], rows.T.tolist(), strict=True))
    likelier = language_gain(["cup", "tea"], 1, 1, ["of"])
    assert columns["english_fits_better"] == [30.0, 30.0]
    assert columns["english_longer"] == [1.0, 1.0]
    assert columns["english_better"] == pytest.approx([30.0 / LANGUAGE_WEIGHT + likelier] * 2)
    assert columns["english_gain"] == [0.0, 0.0]
    assert columns["edited_better"] == [0.0, 0.0]


def test_edits_put_in_replace_and_leave_out_what_english_may_lack() -> None:
    words = ["a", "cup", "tea"]
    arcs = edit_arcs(words)
    chances = {(start, end, word): chance for start, end, chance, word in arcs}
    assert [chances[k, k + 1, word] for k, word in enumerate(words)] == [1.0, 1.0, 1.0]
    assert chances[2, 2, "of"] > chances[2, 2, "the"]
    assert (0, 2, "cup") in chances
    assert (2, 4, "tea") not in chances
    assert {"the", "of", "and"} <= set(short_words())


def test_english_is_likelier_in_order() -> None:
    columns = language_features(["a", "cup", "of", "tea"])
    assert columns[2, 0] > 0.0
    assert columns[2, 2] > language_features(["a", "cup", "um", "tea"])[2, 2]


def fitted(*words: Segment) -> Fitted:
    return Fitted(words, words)


def word(text: str, first: int, end: int, score: float) -> Segment:
    """A word of one phone of its name, `score` a frame."""
    total = score * (end - first)
    return Segment(text, first, end, total, (Segment(text.upper(), first, end, total),))


def test_the_identity_names_what_was_learnt(verifier: SphinxVerifier) -> None:
    assert verifier.identity.startswith("pocketsphinx:")
    assert "verifier:" in verifier.identity


def test_features_compare_a_word_with_the_phones_that_fit_best() -> None:
    """Two words of one phone: the first is what the loop heard, the second fits two nats a frame worse."""
    words = [
        Segment("a", 10, 20, -30.0, (Segment("AH", 10, 20, -30.0),)),
        Segment("i", 25, 35, -50.0, (Segment("AY", 25, 35, -50.0),)),
    ]
    loop = [
        Segment("SIL", 0, 10, -10.0),
        Segment("AH", 10, 20, -30.0),
        Segment("M", 20, 24, -4.0),
        Segment("OW", 24, 35, -33.0),
    ]
    rows = {name: column.tolist() for name, column in zip(FEATURES, word_features(words, loop).T, strict=False)}
    assert rows["gop"] == [0.0, -2.0]
    assert rows["agreement"] == [1.0, 0.0]
    assert rows["gap_before"] == [10.0, 5.0]
    assert rows["heard_before"] == [0.0, 5.0]
    assert rows["before_gop"] == [-1.0, 0.0]
    assert rows["after_gop"] == [-2.0, -1.0]


def test_trees_are_walked_to_their_leaves_and_summed() -> None:
    tree = Tree(
        feature=np.array([1, -1, -1]),
        threshold=np.array([0.5, 0.0, 0.0]),
        left=np.array([1, -1, -1]),
        right=np.array([2, -1, -1]),
        value=np.array([0.0, -1.0, 2.0]),
    )
    rows = np.array([[9.0, 0.5], [9.0, 0.6]])
    assert BoostedTrees(0.25, (tree, tree)).log_odds(rows).tolist() == [-1.75, 4.25]


def test_trees_of_other_features_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "trees.json"
    path.write_text('{"start": 0, "features": ["gop"], "trees": []}')
    with pytest.raises(ValueError, match="other features"):
        read_trees(path, FEATURES)
