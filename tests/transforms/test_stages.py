"""What the results of stages depend on."""

from dataclasses import replace

from schemas.episode import Episode
from schemas.recording import Media
from schemas.state import EpisodeState
from schemas.turn import Identity
from transforms.stages import FindTarget, ReadCaptions
from transforms.target import TargetSettings

STATE = EpisodeState(
    Episode("e1", "guid", "feed", "https://e.org/1.mp3"),
    media=Media("1.mp3", "0" * 64, 1, "https://e.org/1.mp3"),
    identity=Identity("Host", (1.0,), "fake"),
    keys={"diarization": "d", "captions": "c"},
)


def test_another_transcript_does_not_find_the_target_anew() -> None:
    stage = FindTarget(TargetSettings())
    other = replace(STATE, keys={**STATE.keys, "captions": "other"})
    assert stage.key(other) == stage.key(STATE), "labels are heard when the target is chosen, not in its spans"


def test_why_there_is_no_transcript_decides_nothing() -> None:
    stage = ReadCaptions()
    down = replace(STATE, no_transcript="transcript not taken: http-503: it is down today")
    # Otherwise a server that is down for a day would cost a recogniser's hours anew.
    assert stage.key(down) == stage.key(STATE)
