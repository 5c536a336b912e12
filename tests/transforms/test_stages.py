"""What the results of stages depend on."""

from dataclasses import replace

from schemas.episode import Episode, Person
from schemas.recording import Media
from schemas.state import Captions, EpisodeState
from schemas.text import Caption
from schemas.turn import Identity, TargetSpeech
from transforms.align import AlignSettings
from transforms.clip_stages import Align, FindTarget
from transforms.models.sphinx import SphinxAligner, SphinxTranscriber
from transforms.one_model import OneModel
from transforms.target import TargetSettings
from transforms.voice_stages import ReadCaptions

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


def test_names_of_the_show_decide_only_what_a_recogniser_that_is_told_them_writes() -> None:
    deaf = Align(OneModel(SphinxAligner), OneModel(SphinxTranscriber), AlignSettings())
    told = replace(deaf, names=("Ada",))
    keys = {**STATE.keys, "speech": "s"}
    state = replace(STATE, keys=keys, captions=Captions(), target=TargetSpeech((), (), ""))
    renamed = replace(state, episode=replace(state.episode, title="Another", persons=(Person("Bo"),)))
    captioned = replace(renamed, captions=Captions((Caption("Hello."),), "vtt"))
    assert deaf.key(renamed) == deaf.key(state)
    assert told.key(renamed) != told.key(state)
    assert told.key(captioned) == deaf.key(captioned)
