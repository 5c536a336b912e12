"""How each format is made: what it goes through, and who writes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.export import audacity, f5, lhotse, ljspeech, nemo, piper, rttm, styletts2, textgrid, webdataset, xtts
from pipeline.export.clips import Clip, RefusedError, read_clips
from pipeline.export.formats import ExportFormat
from pipeline.export.unit import Unit
from pipeline.inspect import Dataset

#: Does a unit's work, from a file of the dataset.
Work = Callable[[Unit, Dataset], None]


@dataclass(frozen=True)
class Format:
    """A format. `header` is the first line of its lists, "" for none; `rate` (Hz) of its WAV files, None for the
    dataset's own. `makes_wav` says whether it has any, `by_episode` that a unit is an episode's turns, not a shard."""

    work: Work
    header: str = ""
    rate: int | None = None
    makes_wav: bool = True
    by_episode: bool = False


def each(write: Callable[[Clip, Unit], None]) -> Work:
    """The work of a format that takes a shard clip by clip; a clip that it refuses is noted, and the others go on."""

    def work(unit: Unit, dataset: Dataset) -> None:
        for clip in read_clips(dataset, unit.source):
            try:
                write(clip, unit)
            except RefusedError as error:
                unit.refuse(clip.id, str(error))
                unit.step()
            else:
                unit.count(clip["duration"])

    return work


FORMATS: Mapping[ExportFormat, Format] = {
    ExportFormat.LJSPEECH: Format(each(ljspeech.write)),
    ExportFormat.PIPER: Format(each(piper.write), rate=piper.RATE),
    ExportFormat.F5: Format(each(f5.write), f5.HEADER, f5.RATE),
    ExportFormat.XTTS: Format(each(xtts.write), xtts.HEADER, xtts.RATE),
    ExportFormat.STYLETTS2: Format(each(styletts2.write), rate=styletts2.RATE),
    ExportFormat.NEMO: Format(each(nemo.write)),
    ExportFormat.TEXTGRID: Format(each(textgrid.write)),
    ExportFormat.RTTM: Format(rttm.work, makes_wav=False, by_episode=True),
    ExportFormat.AUDACITY: Format(audacity.work, makes_wav=False, by_episode=True),
    ExportFormat.WEBDATASET: Format(webdataset.work, makes_wav=False),
    ExportFormat.LHOTSE: Format(each(lhotse.write), makes_wav=False),
    ExportFormat.LHOTSE_SHAR: Format(lhotse.shar_work, makes_wav=False),
}
