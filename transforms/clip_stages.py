"""The stages from the target's turns to scored clips: what each result depends on, and what makes it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.clip import Cut, Scores, candidate_schema
from schemas.episode import Episode
from schemas.ids import digest
from schemas.recording import Recording
from schemas.state import Candidates, Cuts, EpisodeState, Interjections
from schemas.text import Utterances
from schemas.turn import Span, TargetSpeech
from schemas.verdict import PERMISSIVE, Thresholds, judge
from transforms.align import AlignSettings, align_target
from transforms.audio import read_span
from transforms.bandwidth import speech_bandwidth
from transforms.cut import CutSettings, clip_id, clip_rate, encode_flac, left_out, plan_cuts, render_cut
from transforms.interjections import InterjectionSettings, find_interjections, without_interjections
from transforms.known import known, local_diarization, local_recording
from transforms.measure import MeasureSettings, evidence_columns, measure
from transforms.models.base import (
    Aligner,
    OverlapDetector,
    QualityScorer,
    TextVerifier,
    Transcriber,
)
from transforms.models.choice import AUTO
from transforms.one_model import OneModel
from transforms.overlap import merged, overlap_share
from transforms.script import spoken_sentences
from transforms.shards import write_clips, write_table
from transforms.stage import Stage
from transforms.store import Store
from transforms.target import ClipVoice, TargetSettings, find_target
from transforms.text.context import is_english
from transforms.transcribe import transcribe_target

_UNCUT = "no pause is near that would make clips of the lengths allowed"
_TOLD_SECONDS = 0.05


@dataclass(frozen=True)
class FindTarget(Stage):
    """The turns of the target, and the spans that are surely theirs alone."""

    settings: TargetSettings
    name = "target"
    result = TargetSpeech

    def inputs(self, state: EpisodeState) -> tuple[Any, ...]:
        return (
            state.keys["diarization"],
            state.identity,
            state.target_clusters,
            self.settings,
        )

    def work(self, state: EpisodeState, key: str, store: Store) -> TargetSpeech:
        diarization = local_diarization(state, store)
        return find_target(diarization, known(state.identity), state.target_clusters, self.settings)


@dataclass(frozen=True)
class HearInterjections(Stage):
    """Takes out of the target's spans what somebody else says into them."""

    detector: OneModel[OverlapDetector]
    settings: InterjectionSettings
    name = "interjections"
    result = Interjections

    def inputs(self, state: EpisodeState) -> tuple[Any, ...]:
        # Not the target's own key: another identity that finds the same spans costs no model here.
        return state.keys["speech"], known(state.target).spans, self.settings, self.detector.identity

    def work(self, state: EpisodeState, key: str, store: Store) -> Interjections:
        recording, spans = local_recording(state, store), known(state.target).spans
        return Interjections(find_interjections(recording, spans, self.detector.model, self.settings))

    def apply(self, state: EpisodeState, result: Interjections, key: str) -> EpisodeState:
        target, diarization = known(state.target), known(state.diarization)
        alone = without_interjections(target, result.spans, diarization, self.settings)
        return replace(state, target=alone, keys={**state.keys, self.name: key})

    def audio_seconds(self, state: EpisodeState) -> float:
        target = known(state.target)
        return sum(span.duration for span in (*target.spans, *target.overlaps))


@dataclass(frozen=True)
class Align(Stage):
    """Words and phones in time: the publisher's, or a recogniser's where nothing is published.

    `names` are told to the recogniser, besides those of the episode; None where it can't be told any. `language` is
    that of the captions; "auto" takes the feed's.
    """

    aligner: OneModel[Aligner]
    transcriber: OneModel[Transcriber]
    settings: AlignSettings
    names: tuple[str, ...] | None = None
    language: str = "en"
    name = "utterances"
    version = 2
    result = Utterances

    def inputs(self, state: EpisodeState) -> tuple[Any, ...]:
        models: list[Any] = [self.aligner.identity]
        if not known(state.captions).cues:
            models += [self.transcriber.identity, *self._names(state.episode)]
        elif not is_english(language := self._language(state.episode)):
            models.append(language)
        # Not the target's own key: another identity that finds the same spans changes nothing here.
        return (
            state.keys["speech"],
            state.keys["captions"],
            known(state.target).spans,
            self.settings,
            *models,
        )

    def work(self, state: EpisodeState, key: str, store: Store) -> Utterances:
        recording, target, speech = local_recording(state, store), known(state.target), known(state.speech)
        captions = known(state.captions)
        aligner = self.aligner.model
        if not target.spans:
            return Utterances(())
        if captions.cues:
            return align_target(
                recording,
                target.spans,
                speech.spans,
                captions.cues,
                captions.format,
                aligner,
                self.settings,
                self._language(state.episode),
            )
        return transcribe_target(
            recording,
            target.spans,
            speech.spans,
            self.transcriber.model,
            aligner,
            self.settings,
            self._names(state.episode),
        )

    def _language(self, episode: Episode) -> str:
        return episode.language if self.language == AUTO else self.language

    def _names(self, episode: Episode) -> tuple[str, ...]:
        """How the show writes its names: the configuration's, then the feed's."""
        if self.names is None:
            return ()
        persons = (person.name for person in episode.persons)
        return tuple(dict.fromkeys(filter(None, (*self.names, episode.feed_title, *persons, episode.title))))

    def audio_seconds(self, state: EpisodeState) -> float:
        return sum(span.duration for span in known(state.target).spans)


@dataclass(frozen=True)
class CutClips(Stage):
    """Where the clips begin and end."""

    settings: CutSettings
    name = "cuts"
    version = 4
    result = Cuts

    def inputs(self, state: EpisodeState) -> tuple[Any, ...]:
        target = known(state.target)
        turns = [(turn.start, turn.end, turn.is_target) for turn in target.turns]
        return state.keys["utterances"], digest(turns, target.overlaps), self.settings

    def work(self, state: EpisodeState, key: str, store: Store) -> Cuts:
        utterances, target, speech = known(state.utterances), known(state.target), known(state.speech)
        cuts = plan_cuts(local_recording(state, store), utterances, target, speech.spans, self.settings)
        lost = sum(span.duration for span in left_out(utterances, cuts))
        return Cuts(cuts, f"{lost:.1f} s of words are in no clip: {_UNCUT}" if lost >= _TOLD_SECONDS else "")


@dataclass(frozen=True)
class ScoreClips(Stage):
    """Renders every clip and measures it; all columns but those about the speaker and the rights."""

    scorer: OneModel[QualityScorer]
    cutting: CutSettings
    settings: MeasureSettings
    name = "scored"
    version = 3
    has_hashes = True
    result = Candidates

    def inputs(self, state: EpisodeState) -> tuple[Any, ...]:
        columns = candidate_schema().names
        return state.keys["cuts"], columns, self.cutting, self.settings, self.scorer.identity

    def work(self, state: EpisodeState, key: str, store: Store) -> Candidates:
        recording, cuts = local_recording(state, store), known(state.cuts).cuts
        rate = clip_rate(recording, self.cutting, known(state.speech).bandwidth_hz or None)
        rows: list[dict[str, Any]] = []
        audio_path = store.path("work", "clips", f"{key}.parquet")
        scores_path = store.path("work", "scored", f"{key}.parquet")
        with store.create(audio_path) as partial:
            write_clips(partial, self._clips(recording, cuts, rate, rows), rate)
        with store.create(scores_path) as partial:
            write_table(partial, pa.Table.from_pylist(rows, schema=candidate_schema()))
        return Candidates(scores_path, audio_path, len(rows), round(sum(row["duration"] for row in rows), 6))

    def _clips(
        self, recording: Recording, cuts: tuple[Cut, ...], rate: int, rows: list[dict[str, Any]]
    ) -> Iterator[tuple[str, bytes]]:
        scorer = self.scorer.model
        # Of the target's own speech: another microphone of the episode may hold more.
        held = speech_bandwidth(recording, tuple(Span(cut.start, cut.end) for cut in cuts)) if cuts else None
        for cut in cuts:
            samples = render_cut(recording, cut, rate)
            scores = measure(samples, rate, cut, scorer, self.settings, source_bandwidth_hz=held)
            clip = clip_id(recording.media_sha256, cut, rate)
            rows.append(candidate_row(clip, cut, rate, len(samples), scores))
            yield clip, encode_flac(samples, rate)

    def files(self, result: Candidates) -> tuple[str, ...]:
        return result.scores_path, result.audio_path

    def audio_seconds(self, state: EpisodeState) -> float:
        return known(state.scored).seconds


@dataclass(frozen=True)
class ScoreSpeaker(Stage):
    """Fills in who speaks in each clip. Apart from the other scores, so that another target costs no model."""

    settings: TargetSettings
    name = "candidates"
    version = 2
    result = Candidates
    has_hashes = True

    def inputs(self, state: EpisodeState) -> tuple[Any, ...]:
        overlaps = known(state.target).overlaps
        return (
            state.keys["scored"],
            state.keys["diarization"],
            state.identity,
            state.target_clusters,
            overlaps,
            self.settings,
        )

    def work(self, state: EpisodeState, key: str, store: Store) -> Candidates:
        scored, diarization = known(state.scored), local_diarization(state, store)
        table = pq.read_table(store.fetch(scored.scores_path), partitioning=None)
        voice = ClipVoice(diarization, known(state.identity), state.target_clusters, self.settings)
        spans = list(zip(table["start"].to_pylist(), table["end"].to_pylist(), strict=True))
        found = [voice.scores(start, end) for start, end in spans]
        overlaps = merged((*diarization.overlaps, *known(state.target).overlaps))
        columns = {
            "speaker_similarity": [similarity for similarity, _ in found],
            "speaker_purity": [purity for _, purity in found],
            "overlap": [overlap_share(overlaps, start, end) for start, end in spans],
        }
        for name, values in columns.items():
            position = table.schema.get_field_index(name)
            table = table.set_column(position, table.schema.field(name), pa.array(values, pa.float64()))
        path = store.path("work", "speaker", f"{key}.parquet")
        with store.create(path) as partial:
            write_table(partial, table)
        return replace(scored, scores_path=path)

    def files(self, result: Candidates) -> tuple[str, ...]:
        return (result.scores_path,)


@dataclass(frozen=True)
class VerifyText(Stage):
    """Fills in how likely it is that a clip's text has no wrong word, for clips that some profile would choose.

    Last of all, and only on request: it costs more than all the other stages together. Besides the clip, the captions
    of its whole episode are looked at: what else is said in it may be said here. A clip that falls short of `least` is
    not verified, and no choice that limits text_score takes it.
    """

    verifier: OneModel[TextVerifier]
    least: Thresholds = PERMISSIVE
    name = "verified"
    version = 2
    result = Candidates
    has_hashes = True

    def inputs(self, state: EpisodeState) -> tuple[Any, ...]:
        return state.keys["candidates"], state.keys["captions"], self.least, self.verifier.identity

    def work(self, state: EpisodeState, key: str, store: Store) -> Candidates:
        candidates, recording = known(state.candidates), local_recording(state, store)
        table = pq.read_table(store.fetch(candidates.scores_path), partitioning=None)
        talk = tuple(" ".join(sentence) for sentence in spoken_sentences(known(state.captions).cues))
        scores = [self._score(recording, row, talk) for row in table.to_pylist()]
        position = table.schema.get_field_index("text_score")
        table = table.set_column(position, table.schema.field(position), pa.array(scores, pa.float64()))
        path = store.path("work", "verified", f"{key}.parquet")
        with store.create(path) as partial:
            write_table(partial, table)
        return replace(candidates, scores_path=path)

    def _score(self, recording: Recording, row: Mapping[str, Any], talk: tuple[str, ...]) -> float | None:
        is_published = not (row["transcript_source"] or "").startswith("recognised:")
        if not is_published or not judge(row, self.least).kept:
            return None
        samples = read_span(recording.heard_path, row["start"], row["end"])
        return self.verifier.model.score(samples, row["spoken"].split(), talk)

    def apply(self, state: EpisodeState, result: Candidates, key: str) -> EpisodeState:
        return replace(state, candidates=result, keys={**state.keys, self.name: key})

    def files(self, result: Candidates) -> tuple[str, ...]:
        return (result.scores_path,)

    def audio_seconds(self, state: EpisodeState) -> float:
        return known(state.candidates).seconds


def candidate_row(clip: str, cut: Cut, rate: int, samples: int, scores: Scores) -> dict[str, Any]:
    """A row of candidate_schema with all that is known before the speaker, the rights and the verdict are."""
    return {
        **dict.fromkeys(candidate_schema().names),
        **asdict(scores),
        **evidence_columns(cut),
        "id": clip,
        "text": cut.text,
        "spoken": cut.spoken,
        "words": [{"text": w.text, "start": w.start, "end": w.end, "score": w.score} for w in cut.words],
        "phones": [{"symbol": p.symbol, "start": p.start, "end": p.end} for p in cut.phones],
        "duration": samples / rate,
        "sampling_rate": rate,
        "start": cut.start,
        "end": cut.end,
        "transcript_source": cut.transcript_source,
        "alignment_score": cut.alignment_score,
        "coverage": cut.coverage,
    }
