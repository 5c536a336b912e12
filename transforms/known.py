"""What earlier stages made of an episode, its files on this machine."""

from dataclasses import replace
from typing import Any

from schemas.recording import Recording
from schemas.state import EpisodeState
from schemas.turn import Diarization
from transforms.store import Store


def local_recording(state: EpisodeState, store: Store) -> Recording:
    """The recording of an episode, its files on this machine."""
    recording = known(state.recording)
    return replace(recording, path=store.fetch(recording.path), model_path=store.fetch(recording.model_path))


def local_diarization(state: EpisodeState, store: Store) -> Diarization:
    """The diarization of an episode, its file on this machine."""
    diarization = known(state.diarization)
    return replace(diarization, windows_path=store.fetch(diarization.windows_path))


def known(value: Any) -> Any:
    """A result of an earlier stage, which the order of the stages says is there."""
    if value is None:
        raise LookupError("a stage ran before one that it needs")
    return value
