"""Which formats there are: their names alone, for the command line."""

from enum import StrEnum


class ExportFormat(StrEnum):
    """A format that a dataset can be exported to."""

    LJSPEECH = "ljspeech"
    PIPER = "piper"
    F5 = "f5"
    XTTS = "xtts"
    STYLETTS2 = "styletts2"
    NEMO = "nemo"
    TEXTGRID = "textgrid"
    RTTM = "rttm"
    AUDACITY = "audacity"
    WEBDATASET = "webdataset"
    LHOTSE = "lhotse"
    LHOTSE_SHAR = "lhotse-shar"
