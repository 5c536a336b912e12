"""What people found who listened: verdicts on clips, taken from a CSV file and kept with the dataset.

    id,verdict,corrected_text,note,reviewer,time
    48116b5096509411,wrong_speaker,,a guest,Ada,2026-05-01T10:00:00Z

They are kept in review/verdicts.json of the dataset, which no build removes. A clip whose verdict isn't "ok" is left
out by every later `select` and `build`; a later verdict on it takes the place of the earlier one. Where the verdict is
wrong_text and a corrected_text comes with it, that is aligned on the clip's audio and kept in review/texts.json: from
then on it is the clip's text, and the clip is chosen by its scores as any other. A later "ok" is of the corrected text.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from pipeline.config_errors import nearest, shown
from pipeline.corrections import Wanted, align_corrections, keep_corrections, kept_corrections, read_kept
from pipeline.ready import ready_manifest, store_of
from schemas.errors import ConfigurationError, RealtalkError
from transforms.corrections import Correction, Reviewed
from transforms.store import Store

OK, WRONG_TEXT = "ok", "wrong_text"
VERDICTS = (OK, WRONG_TEXT, "wrong_speaker", "bad_audio", "other")
COLUMNS = ("id", "verdict", "corrected_text", "note", "reviewer", "time")
_PLACE = ("review", "verdicts.json")
_MOST_BYTES = 64 << 20
_MOST_CHARACTERS = 2000
_LINES = 50
_EXAMPLE = "2026-05-01T10:00:00Z"


@dataclass(frozen=True, slots=True)
class Review:
    """What a person found of a clip: one of VERDICTS, who it was and when (ISO 8601)."""

    verdict: Literal["ok", "wrong_text", "wrong_speaker", "bad_audio", "other"]
    corrected_text: str
    note: str
    reviewer: str
    time: str


_KEPT = TypeAdapter(dict[str, Review])


@dataclass(frozen=True)
class Taken:
    """What taking a file in did: reviews of the file by verdict, how many are new or changed, clips left out in all.

    `corrected` counts the texts of the file that were put in, `refused` says why others were not: {clip id: a line}.
    """

    reviews: Mapping[str, int]
    changed: int
    corrected: int
    refused: Mapping[str, str]
    left_out: int


def take_review(dataset: str, path: str | Path) -> Taken:
    """Keep the verdicts of a CSV file with the dataset in a folder or at a URI: all of them, or none.

    Raises ConfigurationError with a line for each fault of the file, RealtalkError where no dataset is ready.
    """
    from pipeline.hold import one_build_at_a_time

    store = store_of(dataset)
    ready_manifest(store)
    lines = _Lines(Path(path))
    reviews = _parse(_read(Path(path)), lines)
    files = dict(_known(store, reviews))
    for clip in sorted(reviews.keys() - files.keys(), key=lambda one: lines.of[one]):
        lines.fault(
            lines.of[clip], f"{store.root} has no clip with the id {shown(clip)}; give whole ids, as candidates/ has"
        )
    lines.raise_faults()
    wanted = [
        Wanted(clip, files[clip], review.corrected_text, review.reviewer, review.time)
        for clip, review in reviews.items()
        if review.corrected_text
    ]
    aligned = align_corrections(store, wanted, kept_corrections(store))
    with one_build_at_a_time(store):
        before, texts = kept_reviews(store), kept_corrections(store)
        after = {**before, **reviews}
        if after != before:
            content = _KEPT.dump_python(dict(sorted(after.items())), mode="json")
            store.write_text(store.path(*_PLACE), json.dumps(content, ensure_ascii=False, indent=1) + "\n")
        # Last: a verdict without its text leaves the clip out, a text without its verdict would be put in.
        if texts != (merged := {**texts, **aligned.corrections}):
            keep_corrections(store, merged)
    counts: Counter[str] = Counter(review.verdict for review in reviews.values())
    return Taken(
        reviews={verdict: counts[verdict] for verdict in VERDICTS},
        changed=sum(before.get(clip) != review for clip, review in reviews.items()),
        corrected=len(aligned.corrections),
        refused=dict(sorted(aligned.refused.items())),
        left_out=sum(review.verdict != OK for review in after.values()) - len(_settled(after, merged)),
    )


def kept_reviews(store: Store) -> dict[str, Review]:
    """The reviews that are kept with a dataset, by clip id; raises RealtalkError for damage."""
    return read_kept(store, _PLACE, _KEPT)


def has_reviews(dataset: str) -> bool:
    """Whether anything was taken in for the dataset in a folder or at a URI."""
    return bool(kept_reviews(store_of(dataset)))


def reviewed(store: Store) -> Reviewed:
    """What people decided of the clips of a dataset; raises RealtalkError for damage."""
    reviews, corrections = kept_reviews(store), kept_corrections(store)
    left_out = {clip: review.verdict for clip, review in reviews.items() if review.verdict != OK}
    return Reviewed(left_out, corrections, _settled(reviews, corrections))


def _settled(reviews: Mapping[str, Review], corrections: Mapping[str, Correction]) -> frozenset[str]:
    """Clips whose wrong text was all that was wrong, and has been corrected; not by what was written before."""
    return frozenset(
        clip
        for clip, review in reviews.items()
        if review.verdict == WRONG_TEXT and clip in corrections and corrections[clip].written == review.corrected_text
    )


class _Lines:
    """Where rows stand in the file, and what is wrong with them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.of: dict[str, int] = {}
        self.faults: list[str] = []

    def fault(self, line: int, text: str) -> None:
        self.faults.append(f"{self.path}:{line}: {text}")

    def raise_faults(self) -> None:
        """Raises ConfigurationError where anything was wrong."""
        if self.faults:
            more = len(self.faults) - _LINES
            rest = [f"{self.path}: and {more} more faults"] if more > 0 else []
            raise ConfigurationError("\n".join([*self.faults[:_LINES], *rest]))


def _read(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ConfigurationError(f"{path}: has more than {_MOST_BYTES >> 20} MiB, no review is so long; split it")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not UTF-8 text (byte {error.start + 1}); save it as CSV in UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error.strerror}; name the review's CSV file") from None


def _parse(text: str, lines: _Lines) -> dict[str, Review]:
    """The reviews of a CSV text; faults go to `lines`, which are raised where no row can be read."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    reviews: dict[str, Review] = {}
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, lines)
        for fields in reader:
            if not fields:
                continue
            line = reader.line_num
            if len(fields) != len(header):
                lines.fault(line, f"has {len(fields)} fields, the first line names {len(header)} columns")
                continue
            row = {name: field.strip() for name, field in zip(header, fields, strict=True)}
            wrong = list(_faults(row))
            if row["id"] in lines.of:
                wrong.append(f"{shown(row['id'])} is on line {lines.of[row['id']]} already; keep one of them")
            for fault in wrong:
                lines.fault(line, fault)
            lines.of.setdefault(row["id"], line)
            if not wrong:
                reviews[row["id"]] = Review(**{name: row[name] for name in COLUMNS if name != "id"})  # type: ignore[arg-type]
    except csv.Error as error:
        lines.fault(max(reader.line_num, 1), f"not CSV: {error}; save it as comma-separated UTF-8")
        lines.raise_faults()
    if not lines.faults and not reviews:
        lines.fault(1, "holds no review; there is nothing to take in")
    return reviews


def _check_header(header: Sequence[str], lines: _Lines) -> None:
    for name in COLUMNS:
        if name not in header:
            lines.fault(1, f"there is no column {name}; the first line has to be {','.join(COLUMNS)}")
    for name in header:
        if name not in COLUMNS:
            near = nearest(name, COLUMNS)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(COLUMNS)}"
            lines.fault(1, f"{shown(name)} is no column of a review; {hint}")
        elif header.count(name) > 1:
            lines.fault(1, f"the column {name} is there more than once")
            break
    lines.raise_faults()


def _faults(row: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with a row by itself."""
    if not row["id"]:
        yield "id is empty; name the clip"
    if row["verdict"] not in VERDICTS:
        near = nearest(row["verdict"], VERDICTS)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(VERDICTS)}"
        yield f"{shown(row['verdict'])} is no verdict; {hint}"
    if row["corrected_text"] and row["verdict"] != WRONG_TEXT:
        yield "corrected_text goes with the verdict wrong_text; change one of them"
    if not row["reviewer"]:
        yield "reviewer is empty; say who listened"
    try:
        datetime.fromisoformat(row["time"])
    except ValueError:
        yield f"time has to be an instant such as {_EXAMPLE}, not {shown(row['time'])}"
    for name, value in row.items():
        if len(value) > _MOST_CHARACTERS:
            yield f"{name} has {len(value)} characters; at most {_MOST_CHARACTERS} are kept"
        if any(ord(letter) < 32 and letter not in "\n\r\t" for letter in value):
            yield f"{name} holds a control character; remove it"


def _known(store: Store, wanted: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Those of the wanted ids that a candidate has, with its file; one episode's candidates are read at a time."""
    ids = pa.array(sorted(wanted), pa.string())
    for name in store.names("candidates"):
        path = store.path("candidates", name)
        try:
            table = pq.read_table(store.fetch(path), columns=["id"], partitioning=None)
        except (OSError, pa.ArrowException) as error:
            why = " ".join(str(error).split())
            raise RealtalkError(f"{path}: can't be read ({why}); run realtalk build to make it anew") from None
        found = pc.filter(table["id"], pc.is_in(table["id"], value_set=ids)).to_pylist()
        yield from ((clip, name) for clip in found)
