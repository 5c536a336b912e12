"""Corrected texts of reviews: aligned on the audio of their clips, and kept with the dataset in review/texts.json."""

import io
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from pipeline.console import say
from pipeline.ready import CONFIG_NAME
from pipeline.reselect import resolved_configuration
from schemas.errors import RealtalkError
from transforms.corrections import Correction
from transforms.models.base import MODEL_RATE, AlignmentError, Samples
from transforms.models.choice import AUTO
from transforms.store import Store

if TYPE_CHECKING:
    from pipeline.guests import Guests

_PLACE = ("review", "texts.json")
_KEPT = TypeAdapter(dict[str, Correction])
Kept = TypeVar("Kept")
_COLUMNS = ("id", "fingerprint", "duration", "transcript_source")
_SAY_EVERY_SECONDS = 10.0


@dataclass(frozen=True)
class Wanted:
    """A text that a person wrote for a clip of a file of candidates/ (and clips/)."""

    clip: str
    file: str
    written: str
    reviewer: str
    time: str


@dataclass(frozen=True)
class Aligned:
    """Corrections by clip id, and why others can't be: {clip id: a line}."""

    corrections: Mapping[str, Correction]
    refused: Mapping[str, str]


def kept_corrections(store: Store) -> dict[str, Correction]:
    """The corrected texts that are kept with a dataset, by clip id; raises RealtalkError for damage."""
    return read_kept(store, _PLACE, _KEPT)


def read_kept(store: Store, place: tuple[str, ...], kept: "TypeAdapter[dict[str, Kept]]") -> dict[str, Kept]:
    """What people who listened left at a place of the dataset, by clip id; raises RealtalkError for damage."""
    path = store.path(*place)
    content = store.read_bytes(path)
    if content is None:
        return {}
    try:
        return kept.validate_json(content)
    except ValidationError as error:
        why = error.errors(include_url=False)[0]["msg"]
        raise RealtalkError(
            f"{path}: damaged ({why}); restore it, or remove it and take the reviews in again by realtalk review"
        ) from None


def keep_corrections(store: Store, corrections: Mapping[str, Correction]) -> None:
    """Let the dataset have these corrected texts, and no others."""
    content = _KEPT.dump_python(dict(sorted(corrections.items())), mode="json")
    store.write_text(store.path(*_PLACE), json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def align_corrections(store: Store, wanted: Sequence[Wanted], known: Mapping[str, Correction]) -> Aligned:
    """Put texts in time by the aligner of the dataset's own configuration; what is `known` already isn't done again.

    Raises RealtalkError where the configuration or a clip's audio can't be read, ConfigurationError where the aligner
    isn't installed.
    """
    from pipeline.guests import Guests

    if not wanted:
        return Aligned({}, {})
    place = store.path(CONFIG_NAME)
    config = resolved_configuration(store.read_bytes(place) or b"", place)
    language = "en" if config.models.language == AUTO else config.models.language
    models = Guests(config)
    corrections: dict[str, Correction] = {}
    refused: dict[str, str] = {}
    said = time.monotonic()
    for number, (one, row, flac) in enumerate(_clips(store, wanted)):
        before = known.get(one.clip)
        if before is not None and before.written == one.written and before.is_of(row):
            corrections[one.clip] = replace(before, reviewer=one.reviewer, time=one.time)
            continue
        try:
            corrections[one.clip] = _align(one, row, flac, models, language)
        except AlignmentError as error:
            refused[one.clip] = " ".join(str(error).split())
        if time.monotonic() - said > _SAY_EVERY_SECONDS:
            said = time.monotonic()
            say(f"{number + 1} of {len(wanted)} corrected texts aligned ...")
    return Aligned(corrections, refused)


def _align(wanted: Wanted, row: Mapping[str, Any], flac: bytes, models: "Guests", language: str) -> Correction:
    from transforms.measure import chars_per_second
    from transforms.realign import realign

    cut = realign(
        samples=_samples(flac),
        seconds=row["duration"],
        text=wanted.written,
        source=row["transcript_source"] or "",
        aligner=models.aligner.model,
        settings=models.align_settings,
        language=language,
    )
    return Correction(
        written=wanted.written,
        reviewer=wanted.reviewer,
        time=wanted.time,
        aligner=models.aligner.identity,
        fingerprint=row["fingerprint"],
        duration=row["duration"],
        text=cut.text,
        spoken=cut.spoken,
        words=cut.words,
        phones=cut.phones,
        alignment_score=cut.alignment_score,
        coverage=cut.coverage,
        chars_per_second=round(chars_per_second(cut), 4),
    )


def _samples(flac: bytes) -> Samples:
    """A clip's audio as models hear it."""
    import soundfile
    import soxr

    samples, rate = soundfile.read(io.BytesIO(flac), dtype="float32")
    resampled = samples if rate == MODEL_RATE else soxr.resample(samples, rate, MODEL_RATE, quality="HQ")
    return np.clip(resampled, -1.0, 1.0).astype(np.float32)


def _clips(store: Store, wanted: Sequence[Wanted]) -> Iterator[tuple[Wanted, Mapping[str, Any], bytes]]:
    """Each wanted clip with its row and its audio; one episode's are in memory at a time."""
    for file in sorted({one.file for one in wanted}):
        here = [one for one in wanted if one.file == file]
        ids = pa.array([one.clip for one in here], pa.string())
        rows = {row["id"]: row for row in _read(store, "candidates", file, _COLUMNS, ids)}
        audio = {row["id"]: row["audio"]["bytes"] for row in _read(store, "clips", file, ("id", "audio"), ids)}
        for one in here:
            if one.clip not in audio:
                place = store.path("clips", file)
                raise RealtalkError(f"{place}: the audio of {one.clip} is missing; run realtalk build to make it anew")
            yield one, rows[one.clip], audio[one.clip]


def _read(store: Store, folder: str, file: str, columns: Sequence[str], ids: pa.Array) -> list[dict[str, Any]]:
    path = store.path(folder, file)
    try:
        with pq.ParquetFile(store.fetch(path), pre_buffer=False) as source:
            tables = (source.read_row_group(group, columns=list(columns)) for group in range(source.num_row_groups))
            found = [table.filter(pc.is_in(table["id"], value_set=ids)).to_pylist() for table in tables]
    except (OSError, LookupError, pa.ArrowException) as error:
        why = " ".join(str(error).split())
        raise RealtalkError(f"{path}: can't be read ({why}); run realtalk build to make it anew") from None
    return [row for rows in found for row in rows]
