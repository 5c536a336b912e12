"""XTTS, as Coqui's formatter "coqui" reads it by pandas: `audio_file|text|speaker_name` below a header.

metadata_train.csv and metadata_eval.csv are the two that its recipe asks for.
"""

from pipeline.export.clips import Clip, RefusedError
from pipeline.export.lines import csv_line
from pipeline.export.unit import Unit

HEADER = "audio_file|text|speaker_name"
#: Hz that XTTS is trained at.
RATE = 22_050
_LISTS = {"train": "metadata_train.csv", "validation": "metadata_eval.csv", "test": "metadata_test.csv"}
# What pandas.read_csv takes for a missing value.
_MISSING = frozenset(
    ("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
     "NULL", "NaN", "None", "n/a", "nan", "null")
)  # fmt: skip


def write(clip: Clip, unit: Unit) -> None:
    """One clip: a line and a WAV file."""
    speaker = clip["speaker"] or "speaker"
    for column in (clip.text, speaker):
        if not _is_text_to_pandas(column):
            raise RefusedError(f"pandas, by which XTTS reads, takes {column!r} for a number or for nothing")
    name = f"wavs/{clip.id}.wav"
    line = csv_line(name, clip.text, speaker)
    unit.wav(clip, name)
    unit.add(_LISTS[unit.split], line)


def _is_text_to_pandas(column: str) -> bool:
    if column in _MISSING or column.lower() in ("true", "false"):
        return False
    try:
        float(column)
    except ValueError:
        return True
    return False
