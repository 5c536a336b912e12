"""What became of each episode: its row of episodes/, its turns, its part of the summary."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from pipeline.judging import Outcome, read_summed_up, with_verdicts
from pipeline.unfinished import Publication
from schemas.errors import Failure
from schemas.ids import digest
from schemas.state import EpisodeState
from schemas.tables import EPISODE_SCHEMA, TURN_SCHEMA
from transforms.feeds import is_web
from transforms.http import shown
from transforms.identity import least_main_seconds
from transforms.overlap import merged
from transforms.shards import keep_table
from transforms.store import Store
from transforms.transcript_files import foreign_note

STATE, JUDGED = "state", "judged"
TARGET_ABSENT, TEXT_ABSENT = "target-absent", "text-absent"


def total(spans: Iterable[Any]) -> float:
    """Seconds of spans together, to the microsecond."""
    return round(sum(span.end - span.start for span in spans), 6)


def episode_row(state: EpisodeState) -> dict[str, Any]:
    """The row of an episode before any clip of it was judged."""
    episode, failure = state.episode, state.failure
    row: dict[str, Any] = dict.fromkeys(EPISODE_SCHEMA.names)
    row |= {
        "episode_id": episode.id,
        "guid": episode.guid,
        "feed_guid": episode.feed_guid,
        "feed_title": episode.feed_title,
        "title": episode.title,
        "published": episode.published,
        "source_url": episode.source_url,
        "license": episode.license,
        "license_source": episode.license_source,
        "persons": [{"name": person.name, "role": person.role} for person in episode.persons],
        "ai_content": episode.ai_content,
        "state": "failed" if failure else "done",
        "failed_stage": failure.stage if failure else None,
        "error": failure.what if failure else None,
        "error_detail": failure.why if failure else None,
        "candidates": 0,
        "kept": 0,
    }
    if state.media:
        row["recording_sha256"] = state.media.sha256
    if state.recording:
        row |= {
            "seconds": state.recording.duration,
            "damage": state.recording.damage or None,
            "source_rate": state.recording.source_rate,
        }
    if state.captions:
        row["transcript_format"] = state.captions.format or None
    if state.speech:
        row["speech_seconds"] = total(state.speech.spans)
    if state.diarization:
        overlaps = (*state.diarization.overlaps, *(state.target.overlaps if state.target else ()))
        row |= {"overlap_seconds": total(merged(overlaps)), "speakers": len(state.diarization.clusters)}
    if state.target:
        row |= {
            "target_speaker": state.target.speaker or None,
            "target_similarity": state.target.similarity,
            "target_seconds": total(state.target.spans),
        }
    if state.utterances:
        row |= {
            "transcript_shift": state.utterances.shift,
            "aligned_seconds": total(state.utterances.utterances),
        }
    return row if failure else row | remarks(state)


def remarks(state: EpisodeState) -> dict[str, str | None]:
    """What an episode that came through all stages says for itself: why it gave nothing, or what was amiss."""
    target, captions, utterances = state.target, state.captions, state.utterances
    notes = list(_of_files(state))
    notes += [captions.note] if captions and captions.note else []
    notes += utterances.notes if utterances else ()
    notes += [state.cuts.note] if state.cuts and state.cuts.note else []
    place = shown(state.episode.source_url) if is_web(state.episode.source_url) else state.episode.source_url
    if target and not target.speaker:
        voices = len(state.diarization.clusters) if state.diarization else 0
        return {
            "failed_stage": "target",
            "error": TARGET_ABSENT,
            "error_detail": f"{place}: {_counted(voices)} {_name(state)}'s, so nothing is taken{_nearest(state)}; "
            "if they do speak there, add a recording of them in that room to speaker.enroll",
        }
    if target and target.spans and captions and captions.cues and utterances and not utterances.utterances:
        return {
            "failed_stage": "utterances",
            "error": TEXT_ABSENT,
            "error_detail": f"{place}: its transcript is not what is said in it ({'; '.join(notes)}), so nothing is "
            "taken; is it another episode's, or in another language?",
        }
    return {"error_detail": "; ".join(notes) or None}


def _of_files(state: EpisodeState) -> Iterator[str]:
    """What is to be known of the files that an episode was made from.

    Nothing that differs from one build to the next of the same files, such as a server that was down.
    """
    episode, media = state.episode, state.media
    if (episode.ai_content or "").lower() in ("true", "yes"):
        yield "the feed says that it holds AI-generated content (podcast:txt ai-content)"
    if media is None:
        return
    if media.source_url in episode.alternates:
        yield f"the alternate enclosure {shown(media.source_url)} stands in for the episode's own, which was gone"
    if media.transcript is None:
        yield state.no_transcript or "no transcript is published"
    elif note := foreign_note(media.transcript.source_url, episode):
        yield note


def _counted(voices: int) -> str:
    return "the only voice (or music) is not" if voices == 1 else f"none of the {voices} voices (or music) is"


def _nearest(state: EpisodeState) -> str:
    """How near the voice comes that is most like the target, and whether it is heard for too short a time."""
    if not (state.diarization and state.diarization.clusters and state.identity and state.identity.embedding):
        return ""
    clusters, identity = state.diarization.clusters, np.array(state.identity.embedding)
    similarity, most_alike = max(
        ((float(np.dot(one.centroid, identity)), one) for one in clusters), key=lambda found: found[0]
    )
    least = least_main_seconds(sum(one.seconds for one in clusters))
    brief = f", less than the {least:.0f} s from which a voice is taken" if most_alike.seconds < least else ""
    return f": the most alike has a similarity of {similarity:.2f} and is heard for {most_alike.seconds:.1f} s{brief}"


def _name(state: EpisodeState) -> str:
    return (state.identity.name if state.identity else "") or "the target"


def source_row(failure: Failure) -> dict[str, Any]:
    """The row of a source, or an item of one, that gave no episode."""
    row: dict[str, Any] = dict.fromkeys(EPISODE_SCHEMA.names)
    return row | {
        "episode_id": failure.episode_id,
        "source_url": failure.where,
        "state": "skipped" if failure.what in SKIPPED else "failed",
        "failed_stage": failure.stage,
        "error": failure.what,
        "error_detail": failure.why,
        "candidates": 0,
        "kept": 0,
    }


#: What a source leaves out on purpose.
SKIPPED = frozenset({"blocked", "no-enclosure", "duplicate-guid", "none-wanted"})


def outcome(grouped: tuple[str, Mapping[str, Iterable[Any]]], store: Store) -> Iterator[Outcome]:
    """The outcome of an episode from its last state and, where it has candidates, their verdicts."""
    for state in grouped[1][STATE]:
        judged = next(iter(grouped[1][JUDGED]), None)
        candidates = read_summed_up(judged, store) if judged is not None else None
        yield with_verdicts(episode_row(state), judged, candidates, state.episode.duration)


class WriteTurns(beam.DoFn):
    """Writes the turns of an episode into work/turns/."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def process(self, state: EpisodeState) -> Iterator[Publication]:
        if state.target is None:
            return
        rows = [
            {
                "episode_id": state.episode.id,
                "start": turn.start,
                "end": turn.end,
                "speaker": turn.speaker,
                "is_target": turn.is_target,
                "similarity": turn.similarity,
                "overlap": turn.overlap,
            }
            for turn in state.target.turns
        ]
        key = digest("turns", rows)
        path = self.store.path("work", "turns", f"{state.episode.id}-{key}.parquet")
        keep_table(self.store, path, pa.Table.from_pylist(rows, schema=TURN_SCHEMA))
        yield Publication(f"turns/{state.episode.id}.parquet", path)
