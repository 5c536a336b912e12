import io
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from small_voice import ACOUSTIC, FEATURES, ORIGIN, VOCODER

from schemas.errors import ConfigurationError, RealtalkError
from tts.audio_files import marks_of, pcm16, stream_audio, wav_head, write_audio
from tts.training.examples import Norms
from tts.voice import VoiceFacts

RATE = 24_000
FACTS = VoiceFacts("reader", "cpu", FEATURES, ACOUSTIC, VOCODER, Norms((), (), 5.3, 0.2, -6.0, 2.0), ORIGIN)
MARKS = marks_of(FACTS)
COMMENT = "Synthetic speech made by realtalk; voice reader, dataset readings v1"


def pieces() -> Iterator[np.ndarray]:
    times = np.arange(RATE) / RATE
    for number in range(3):
        yield (0.3 * np.sin(2 * np.pi * 220 * (times + number))).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "bits", "format", "coding"),
    [
        ("a.wav", 16, "WAV", "PCM_16"),
        ("a.WAV", 24, "WAV", "PCM_24"),
        ("a.flac", 16, "FLAC", "PCM_16"),
        ("a.flac", 24, "FLAC", "PCM_24"),
        ("a.mp3", 16, "MP3", "MPEG_LAYER_III"),
        ("a.opus", 16, "OGG", "OPUS"),
        ("a.ogg", 16, "OGG", "OPUS"),
    ],
)
def test_files_hold_the_speech_and_say_that_it_is_synthetic(
    name: str, bits: int, format: str, coding: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    assert write_audio(path, pieces(), RATE, MARKS, bits) == 3 * RATE
    with soundfile.SoundFile(path) as file:
        assert (file.format, file.subtype, file.samplerate, file.channels) == (format, coding, RATE, 1)
        assert file.comment == MARKS.comment == COMMENT
        assert file.title == "Synthetic speech"
        assert file.artist == "reader (synthetic voice)"
        if format != "MP3":  # where LAME puts its own name
            assert file.software.startswith("realtalk")
        samples = file.read()
    wanted = np.concatenate(list(pieces()))
    assert len(samples) == len(wanted)
    error = np.abs(samples - wanted)[RATE // 10 : -RATE // 10].max()
    assert error < {"MP3": 0.02, "OGG": 0.05}.get(format, 2.0 ** (1 - bits))
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize(("rate", "written"), [(22_050, 24_000), (44_100, 48_000), (16_000, 16_000), (96_000, 48_000)])
def test_opus_is_written_at_the_next_rate_that_it_knows(rate: int, written: int, tmp_path: Path) -> None:
    times = np.arange(2 * rate) / rate
    tone = (0.3 * np.sin(2 * np.pi * 220 * times)).astype(np.float32)
    assert write_audio(tmp_path / "a.opus", iter(np.array_split(tone, 8)), rate, MARKS) == 2 * rate
    samples, found = soundfile.read(tmp_path / "a.opus")
    assert (found, abs(len(samples) - 2 * written) <= 2) == (written, True)
    wanted = 0.3 * np.sin(2 * np.pi * 220 * np.arange(len(samples)) / written)
    assert np.abs(samples - wanted)[written // 10 : -written // 10].max() < 0.05, "neither later nor faster"


def test_nothing_half_written_is_left_where_speaking_fails(tmp_path: Path) -> None:
    def failing() -> Iterator[np.ndarray]:
        yield np.zeros(10, np.float32)
        raise RealtalkError("text: at fault")

    (tmp_path / "a.wav").write_bytes(b"before")
    with pytest.raises(RealtalkError, match="at fault"):
        write_audio(tmp_path / "a.wav", failing(), RATE, MARKS)
    assert os.listdir(tmp_path) == ["a.wav"]
    assert (tmp_path / "a.wav").read_bytes() == b"before"


def test_other_formats_and_places_are_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"a\.aac: the ending says the format, there are \.wav, .*\.opus"):
        write_audio(tmp_path / "a.aac", pieces(), RATE, MARKS)
    with pytest.raises(ConfigurationError, match="--bits 8: there are 16 and 24"):
        write_audio(tmp_path / "a.wav", pieces(), RATE, MARKS, 8)
    with pytest.raises(RealtalkError, match=r"none/a\.wav: the folder .*none is missing"):
        write_audio(tmp_path / "none" / "a.wav", pieces(), RATE, MARKS)


def test_a_pipe_gets_a_wav_file_of_unknown_length_or_the_samples_alone() -> None:
    wav, raw = io.BytesIO(), io.BytesIO()
    assert stream_audio(wav, pieces(), RATE, MARKS) == stream_audio(raw, pieces(), RATE, None) == 3 * RATE
    samples = pcm16(np.concatenate(list(pieces())))
    assert raw.getvalue() == samples
    assert wav.getvalue() == wav_head(RATE, COMMENT, None) + samples
    assert struct.unpack("<I", wav.getvalue()[4:8]) == (0xFFFFFFFF,)
    with soundfile.SoundFile(io.BytesIO(wav.getvalue())) as file:
        assert (file.samplerate, file.comment) == (RATE, COMMENT)
        assert len(file.read(3 * RATE)) == 3 * RATE
