"""The stages until it is known who speaks when in an episode: what each result depends on, and what makes it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from schemas.errors import EpisodeError
from schemas.recording import Recording
from schemas.state import Captions, EpisodeState, Speech
from schemas.turn import Diarization
from transforms.bandwidth import speech_bandwidth
from transforms.bucket import download_to_bucket
from transforms.decode import DecodeSettings, decode
from transforms.diarize import DiarizeSettings, diarize
from transforms.diarize_pieces import PieceSettings, diarize_pieces
from transforms.download import Downloaded, DownloadSettings, download
from transforms.http import HttpClient, HttpSettings
from transforms.known import known, local_recording
from transforms.models.base import (
    SpeakerEmbedder,
    SpeakerSegmenter,
    SpeechDetector,
)
from transforms.one_model import OneModel
from transforms.progress import ProgressLog
from transforms.speech import SpeechSettings, detect_speech
from transforms.stage import Stage
from transforms.store import Store
from transforms.text.captions import read_captions


@dataclass(frozen=True)
class Download(Stage):
    """Bytes of the episode and its transcript. It asks the server each time, and fetches what has changed."""

    http: HttpSettings
    settings: DownloadSettings
    name = "media"
    result = Downloaded
    keeps = False
    supervised = False

    def inputs(self, state: EpisodeState) -> tuple[Any, ...]:
        return (state.episode.source_url,)

    def work(self, state: EpisodeState, key: str, store: Store) -> Downloaded:
        with HttpClient(self.http) as client:
            if store.is_local:
                found = download(state.episode, Path(store.path("work", "downloads")), client, self.settings)
            else:
                found = download_to_bucket(state.episode, store, client, self.settings)
        for note in found.notes:
            ProgressLog(store).note(self.name, line=f"{state.episode.title or state.episode.guid}: {note}")
        return found

    def apply(self, state: EpisodeState, result: Downloaded, key: str) -> EpisodeState:
        keys = {**state.keys, self.name: result.media.sha256}
        return replace(state, media=result.media, no_transcript=result.no_transcript, keys=keys)

    def audio_seconds(self, state: EpisodeState) -> float:
        return state.episode.duration or 0.0


@dataclass(frozen=True)
class Decode(Stage):
    """A seekable mono FLAC, and in the same pass one at the models' rate."""

    settings: DecodeSettings
    name = "recording"
    version = 2
    result = Recording

    def inputs(self, state: EpisodeState) -> tuple[Any, ...]:
        return state.keys["media"], self.settings

    def work(self, state: EpisodeState, key: str, store: Store) -> Recording:
        media = known(state.media)
        path = store.path("work", "recordings", f"{key}.flac")
        model_path = store.path("work", "recordings", f"{key}.model.flac")
        source = replace(media, path=store.fetch(media.path))
        with store.create(model_path) as model_partial, store.create(path) as partial:
            recording = decode(source, partial, self.settings, model_partial)
        return replace(recording, path=path, model_path=model_path)

    def files(self, result: Recording) -> tuple[str, ...]:
        return result.path, result.model_path


@dataclass(frozen=True)
class ReadCaptions(Stage):
    """The publisher's transcript, read; one that can't be read costs the text, not the episode."""

    name = "captions"
    result = Captions

    def inputs(self, state: EpisodeState) -> tuple[Any, ...]:
        transcript = known(state.media).transcript
        return (transcript.sha256, transcript.format) if transcript else (None,)

    def work(self, state: EpisodeState, key: str, store: Store) -> Captions:
        transcript = known(state.media).transcript
        if transcript is None:
            return Captions()
        try:
            cues = read_captions(store.fetch(transcript.path), transcript.format)
        except EpisodeError as error:
            return Captions(note=f"transcript not used: {error}")
        return Captions(cues=cues, format=transcript.format)


@dataclass(frozen=True)
class DetectSpeech(Stage):
    """Where someone speaks."""

    detector: OneModel[SpeechDetector]
    settings: SpeechSettings
    name = "speech"
    result = Speech

    def inputs(self, state: EpisodeState) -> tuple[Any, ...]:
        return state.keys["recording"], self.settings, self.detector.identity

    def work(self, state: EpisodeState, key: str, store: Store) -> Speech:
        recording = local_recording(state, store)
        spans = detect_speech(recording, self.detector.model, self.settings)
        if not spans:
            raise EpisodeError(
                f"no-speech: {state.episode.source_url}: no speech was found in {recording.duration:.0f} s; "
                "nothing can be taken from music or silence"
            )
        return Speech(spans, speech_bandwidth(recording, spans))


@dataclass(frozen=True)
class Diarize(Stage):
    """Who speaks when."""

    embedder: OneModel[SpeakerEmbedder]
    settings: DiarizeSettings
    name = "diarization"
    version = 2
    result = Diarization

    def inputs(self, state: EpisodeState) -> tuple[Any, ...]:
        return state.keys["speech"], self.settings, self.embedder.identity

    def work(self, state: EpisodeState, key: str, store: Store) -> Diarization:
        path = store.path("work", "windows", f"{key}.npz")
        recording, speech = local_recording(state, store), known(state.speech)
        with store.create(path) as partial:
            found = diarize(recording, speech.spans, self.embedder.model, self.settings, partial)
        return replace(found, windows_path=path)

    def files(self, result: Diarization) -> tuple[str, ...]:
        return (result.windows_path,)


@dataclass(frozen=True)
class DiarizePieces(Stage):
    """Who speaks when, by a model that says so of a whole piece of audio: stands where Diarize does."""

    segmenter: OneModel[SpeakerSegmenter]
    settings: PieceSettings
    name = "diarization"
    result = Diarization

    def inputs(self, state: EpisodeState) -> tuple[Any, ...]:
        return "pieces", state.keys["recording"], self.settings, self.segmenter.identity

    def work(self, state: EpisodeState, key: str, store: Store) -> Diarization:
        path = store.path("work", "windows", f"{key}.npz")
        with store.create(path) as partial:
            found = diarize_pieces(local_recording(state, store), self.segmenter.model, self.settings, partial)
        if not found.turns:
            raise EpisodeError(
                f"no-speech: {state.episode.source_url}: the diarizer heard nobody speak; "
                "nothing can be taken from music or silence"
            )
        return replace(found, windows_path=path)

    def files(self, result: Diarization) -> tuple[str, ...]:
        return (result.windows_path,)
