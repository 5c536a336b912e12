"""Wrong words in a clip's text: the features tell them, trees judge them."""

from pathlib import Path

import numpy as np
import pytest
from espeak_speech import speak

from pipeline.demo.espeak import Voice
from transforms.models.base import AlignmentError
from transforms.models.boosted_trees import BoostedTrees, Tree, read_trees
from transforms.models.sphinx_decoder import Segment
from transforms.models.sphinx_verifier import FEATURES, SphinxVerifier, word_features

VOICE = Voice("en-us+f5", rate=150)
TEXT = "the forms of printed letters should be beautiful"
GOP = FEATURES.index("gop")


@pytest.fixture(scope="module")
def verifier() -> SphinxVerifier:
    return SphinxVerifier()


def test_a_word_that_is_not_said_has_far_better_rivals(verifier: SphinxVerifier) -> None:
    samples, words = speak(TEXT, VOICE).samples, TEXT.split()
    right = verifier.features(samples, words)
    assert right.shape == (len(words), len(FEATURES))
    assert np.isfinite(right).all()
    place = words.index("letters")
    wrong = verifier.features(samples, [*words[:place], "mountains", *words[place + 1 :]])
    assert wrong[place, GOP] < right[place, GOP] - 1.0


def test_the_right_text_scores_better_than_the_wrong_one(verifier: SphinxVerifier) -> None:
    samples = speak(TEXT, VOICE).samples
    right = verifier.score(samples, TEXT.split())
    wrong = verifier.score(samples, TEXT.replace("letters", "mountains").split())
    assert 0.0 <= wrong < right <= 1.0


def test_what_can_not_be_aligned_is_surely_wrong(verifier: SphinxVerifier) -> None:
    silence = np.zeros(16_000, np.float32)
    assert verifier.score(silence, ["hello"]) == 0.0
    with pytest.raises(AlignmentError):
        verifier.features(silence, ["hello"])


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
    rows = {name: column.tolist() for name, column in zip(FEATURES, word_features(words, loop).T, strict=True)}
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
