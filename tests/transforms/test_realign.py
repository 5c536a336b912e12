"""Corrected texts on the audio of a clip, by the real aligner."""

import numpy as np
import pytest
from espeak_speech import HOST, speak

from transforms.align import AlignSettings
from transforms.models.base import MODEL_RATE, AlignmentError, Samples
from transforms.models.sphinx import SphinxAligner
from transforms.realign import realign

SAID = "The book was sold for twelve hundred dollars in the end."
SETTINGS = AlignSettings()


@pytest.fixture(scope="module")
def aligner() -> SphinxAligner:
    return SphinxAligner()


@pytest.fixture(scope="module")
def clip() -> Samples:
    """With 0.15 s of the room before and after."""
    spoken = speak(SAID, HOST).samples
    room = np.random.default_rng(0).normal(0, 0.0005, len(spoken) + 4800)
    room[2400:-2400] += spoken
    return room.astype(np.float32)


def aligned(clip: Samples, text: str, aligner: SphinxAligner):  # type: ignore[no-untyped-def]
    return realign(clip, len(clip) / MODEL_RATE, text, "corrected:publisher:vtt", aligner, SETTINGS, "en")


def test_words_and_phones_are_in_the_clip_s_time(clip: Samples, aligner: SphinxAligner) -> None:
    cut = aligned(clip, "The book was sold for $1,200 (laughs)  in the end.", aligner)
    assert cut.text == "The book was sold for $1,200 in the end."
    assert cut.spoken == "the book was sold for twelve hundred dollars in the end", "as it is heard, not as it is usual"
    assert [word.text for word in cut.words] == cut.text.split()
    starts = speak(SAID, HOST).starts
    assert cut.words[1].start == pytest.approx(starts[1] + 0.15, abs=0.06)
    assert (cut.phones[0].symbol, cut.phones[0].start) == ("SIL", 0.0)
    assert cut.phones[-1].end == pytest.approx(len(clip) / MODEL_RATE, abs=1e-4)
    assert all(a.end == b.start for a, b in zip(cut.phones, cut.phones[1:], strict=False))
    assert cut.alignment_score > SETTINGS.phrase_score
    assert cut.coverage > 0.9


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[music]", "it holds no words that can be said"),
        ("The book was дом in the end.", "nobody can pronounce 'дом' here; write it as it is said"),
        (
            "Quite another story of seven brothers and a golden goose went over the mountains.",
            r"it does not fit the sound \(alignment_score .* < -7.40\)|is not what is said at|does not fit the audio",
        ),
        (SAID.replace("twelve", "seven"), r"'seven' is not what is said at 1\.\d s \(score -\d+\.\d+ < -12\.50\)"),
        ("yes", "it does not fit the sound|is not what is said at|does not fit the audio"),
    ],
)
def test_what_is_not_said_is_refused_with_the_reason(
    text: str, why: str, clip: Samples, aligner: SphinxAligner
) -> None:
    with pytest.raises(AlignmentError, match=why):
        aligned(clip, text, aligner)


def test_a_text_that_lacks_words_covers_less(clip: Samples, aligner: SphinxAligner) -> None:
    whole, part = (aligned(clip, text, aligner) for text in (SAID, SAID.replace(" in the end", "")))
    assert part.coverage < whole.coverage - 0.1, "and a limit on coverage leaves it out"
