"""What an episode's row says."""

from dataclasses import replace
from typing import Any

import pytest

from pipeline.outcome import episode_row
from schemas.episode import Episode, TranscriptLink
from schemas.recording import Media, Transcript
from schemas.state import Captions, EpisodeState
from schemas.turn import Cluster, Diarization, Identity, TargetSpeech

OWN, OTHER, VTT = "https://e.org/1.mp3", "https://e.org/1.ogg", "https://e.org/1.vtt"
LINK = TranscriptLink(VTT, "text/vtt", "es")
EPISODE = Episode("e1", "1", "feed", OWN, language="en", alternates=(OTHER,), transcripts=(LINK,))
TRANSCRIPT = Transcript("1.vtt", "vtt", "0", VTT)
MEDIA = Media("1.mp3", "0", 1, OWN, transcript=replace(TRANSCRIPT, source_url="1.vtt"))


def said(episode: Episode = EPISODE, media: Media = MEDIA, **more: Any) -> str | None:
    detail: str | None = episode_row(EpisodeState(episode, media=media, captions=Captions(), **more))["error_detail"]
    return detail


def test_a_row_has_nothing_to_say_of_an_episode_as_published() -> None:
    assert said() is None


@pytest.mark.parametrize(("says", "marked"), [("true", True), ("Yes", True), ("false", False), (None, False)])
def test_generated_speech_is_marked(says: str | None, marked: bool) -> None:
    assert ("AI-generated" in (said(replace(EPISODE, ai_content=says)) or "")) == marked


def test_what_the_download_took_instead_is_in_the_row() -> None:
    assert said(media=replace(MEDIA, source_url=OTHER)) == (
        f"the alternate enclosure {OTHER} stands in for the episode's own, which was gone"
    )
    assert "the transcript is in 'es', the episode in 'en'" in (said(media=replace(MEDIA, transcript=TRANSCRIPT)) or "")


def test_why_there_is_no_transcript_is_in_the_row() -> None:
    without = replace(MEDIA, transcript=None)
    assert said(media=without) == "no transcript is published"
    assert said(media=without, no_transcript="transcript not taken: http-404") == "transcript not taken: http-404"


@pytest.mark.parametrize(
    ("seconds", "ends"),
    [
        (9.8, "similarity of 0.96 and is heard for 9.8 s, less than the 10 s from which a voice is taken; if they do "),
        (10.5, "similarity of 0.96 and is heard for 10.5 s; if they do speak there, add a recording of them "),
    ],
)
def test_where_the_target_is_not_found_the_nearest_voice_is_told(seconds: float, ends: str) -> None:
    clusters = (Cluster("S0", 80.0, (0.6, 0.8)), Cluster("S1", seconds, (0.96, 0.28)))
    detail = said(
        diarization=Diarization("windows.npz", (), clusters),
        identity=Identity("Host", (1.0, 0.0), "enrolled"),
        target=TargetSpeech((), (), ""),
    )
    assert detail is not None
    assert detail.startswith(f"{OWN}: none of the 2 voices (or music) is Host's, so nothing is taken: the most alike ")
    assert ends in detail
