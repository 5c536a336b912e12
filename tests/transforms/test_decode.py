"""Decode: every format, every damage, one seekable mono file."""

import itertools
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from schemas.errors import EpisodeError
from schemas.recording import Media, Recording
from transforms.audio import read_span
from transforms.decode import DecodeSettings, decode
from transforms.flac import FlacFile
from transforms.models.base import MODEL_RATE

SECONDS = 6.0
ROOT = Path(__file__).resolve().parents[2]


def tone(rate: int, seconds: float = SECONDS, hz: float = 440.0, level: float = 0.3) -> np.ndarray:
    return level * np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate)


def noise(rate: int, seconds: float = SECONDS, seed: int = 0) -> np.ndarray:
    """Unlike at every instant, so that a shift shows."""
    return np.random.default_rng(seed).normal(0, 0.1, round(rate * seconds)).clip(-0.9, 0.9)


def encode(
    path: Path,
    planes: np.ndarray,
    rate: int,
    codec: str,
    layout: str,
    container_options: dict[str, str] | None = None,
    with_video: bool = False,
) -> Path:
    """Write planes (channels, n) with FFmpeg; the container by the name of the file."""
    with av.open(str(path), "w", options=container_options or {}) as out:
        video: Any = out.add_stream("mpeg4", rate=10, width=32, height=32, pix_fmt="yuv420p") if with_video else None
        audio: Any = out.add_stream(codec, rate=rate, layout=layout)
        resampler = av.AudioResampler(format=audio.format.name, layout=layout, rate=rate)
        if video:
            for index in range(10):
                picture = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 20 * index, np.uint8), "rgb24")
                picture.pts = index
                out.mux(video.encode(picture))
            out.mux(video.encode(None))
        for start in range(0, planes.shape[1], 4096):
            block = np.ascontiguousarray(planes[:, start : start + 4096], np.float32)
            frame = av.AudioFrame.from_ndarray(block, "fltp", layout)
            frame.sample_rate, frame.pts = rate, start
            for converted in resampler.resample(frame):
                out.mux(audio.encode(converted))
        out.mux(audio.encode(None))
    return path


def remux(source: Path, target: Path, new_time: Callable[[float], float | None]) -> Path:
    """Copy packets under new times (seconds); a packet whose time becomes None is left out."""
    with av.open(str(source)) as read, av.open(str(target), "w") as out:
        stream = read.streams.audio[0]
        copy = out.add_stream_from_template(stream)
        packet: Any
        for packet in read.demux(stream):
            if packet.dts is None:
                continue
            now = float(packet.pts * packet.time_base)
            later = new_time(now)
            if later is None:
                continue
            shift = round((later - now) / packet.time_base)
            packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, copy
            out.mux(packet)
    return target


EXACT = DecodeSettings(rumble_hz=0)


def decoded(path: Path, settings: DecodeSettings = EXACT) -> tuple[Recording, np.ndarray]:
    recording = decode(Media(str(path), "0" * 64, 0, ""), path.parent / "out" / "r.flac", settings)
    samples, rate = soundfile.read(recording.path)
    assert samples.ndim == 1
    assert rate == recording.sampling_rate
    assert recording.duration == len(samples) / rate
    return recording, samples


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples**2) + 1e-12))


def main_frequency(samples: np.ndarray, rate: int) -> float:
    return float(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax() * rate / len(samples))


def lag_of(found: np.ndarray, expected: np.ndarray, start: int, end: int) -> int:
    """By how many samples (at most 200) `found` lies behind `expected` between two sample positions."""
    fits = [float(np.dot(expected[start:end], found[start + lag : end + lag])) for lag in range(-200, 201)]
    return int(np.argmax(fits)) - 200


def code_of(path: Path) -> str:
    with pytest.raises(EpisodeError) as caught:
        decoded(path)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    assert not list((path.parent / "out").glob("*")) if (path.parent / "out").exists() else True
    return text.partition(": ")[0]


def test_a_lossless_mono_file_comes_out_bit_for_bit(tmp_path: Path) -> None:
    pcm = np.random.default_rng(1).integers(-32768, 32768, 50_000).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", pcm, 22_050, subtype="PCM_16")
    recording, _ = decoded(tmp_path / "a.wav")
    assert np.array_equal(soundfile.read(recording.path, dtype="int16")[0], pcm)
    assert recording == Recording(recording.path, "0" * 64, 50_000 / 22_050, 22_050, 22_050, 1, "pcm_s16le", "", "")


@pytest.mark.parametrize(
    ("subtype", "rate", "step"),
    [("PCM_U8", 8_000, 1 / 128), ("PCM_24", 48_000, 2**-15), ("FLOAT", 44_100, 2**-15), ("DOUBLE", 16_000, 2**-15)],
)
def test_every_sample_format_keeps_its_level(tmp_path: Path, subtype: str, rate: int, step: float) -> None:
    said = tone(rate)
    soundfile.write(tmp_path / "a.wav", said, rate, subtype=subtype)
    recording, samples = decoded(tmp_path / "a.wav")
    assert recording.sampling_rate == rate
    assert np.abs(samples - said).max() <= step


@pytest.mark.parametrize(
    ("name", "codec", "rate", "layout"),
    [
        ("a.mp3", "mp3", 44_100, "stereo"),
        ("a.m4a", "aac", 44_100, "stereo"),
        ("a.m4a", "alac", 44_100, "stereo"),
        ("a.opus", "libopus", 48_000, "mono"),
        ("a.webm", "libopus", 48_000, "stereo"),
        ("a.mka", "aac", 32_000, "mono"),
        ("a.ts", "aac", 48_000, "stereo"),
        ("a.flac", "flac", 48_000, "5.1"),
        ("a.m4a", "aac", 48_000, "5.1"),
        ("a.ac3", "ac3", 48_000, "5.1"),
        ("a.aiff", "pcm_s16be", 11_025, "mono"),
    ],
)
def test_every_container_and_codec(tmp_path: Path, name: str, codec: str, rate: int, layout: str) -> None:
    channels = len(av.AudioLayout(layout).channels)
    path = encode(tmp_path / name, np.stack([tone(rate)] * channels), rate, codec, layout)
    recording, samples = decoded(path)
    assert (recording.sampling_rate, recording.channels) == (rate, channels)
    assert recording.codec == codec.removeprefix("lib")
    assert recording.damage == ""
    assert recording.duration == pytest.approx(SECONDS, abs=0.06)
    middle = samples[rate : 5 * rate]
    assert main_frequency(middle, rate) == pytest.approx(440, abs=1)
    # LAME itself takes 0.45 dB off.
    assert level_db(middle) == pytest.approx(level_db(tone(rate)), abs=0.6)


@pytest.mark.parametrize(("name", "codec"), [("a.mp3", "mp3"), ("a.m4a", "aac"), ("a.opus", "libopus")])
def test_an_encoders_delay_does_not_shift_the_audio(tmp_path: Path, name: str, codec: str) -> None:
    rate = 48_000
    low = np.convolve(noise(rate, 2.0), np.ones(32) / 8, "same")
    _, samples = decoded(encode(tmp_path / name, low[None], rate, codec, "mono"))
    assert abs(lag_of(samples, low, rate // 2, rate)) <= 1


def test_a_rate_above_48_khz_is_brought_down_without_aliases(tmp_path: Path) -> None:
    rate = 96_000
    planes = np.stack([tone(rate, hz=1_000) + tone(rate, hz=30_000)] * 6)
    soundfile.write(tmp_path / "a.wav", planes.T, rate, subtype="FLOAT", format="WAVEX")
    recording, samples = decoded(tmp_path / "a.wav")
    assert (recording.source_rate, recording.sampling_rate, recording.channels) == (96_000, 48_000, 6)
    assert level_db(samples[4_800:-4_800]) == pytest.approx(level_db(tone(rate, hz=1_000)), abs=0.05)


def test_a_video_gives_its_audio(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", tone(44_100)[None], 44_100, "aac", "mono", with_video=True)
    recording, samples = decoded(path)
    assert recording.codec == "aac"
    assert main_frequency(samples[44_100:88_200], 44_100) == pytest.approx(440, abs=1)


def test_a_colon_in_the_name_and_a_broken_tag_do_no_harm(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp3", tone(44_100)[None], 44_100, "mp3", "mono")
    title = b"TIT2" + (4).to_bytes(4) + b"\0\0" + b"\x03\xff\xfe\xfa"
    named = tmp_path / "12:30 \u00e9.mp3"
    named.write_bytes(b"ID3\x03\0\0" + bytes([0, 0, 0, len(title)]) + title + path.read_bytes())
    assert decoded(named)[0].damage == ""


VOICE, OTHER = tone(16_000) * (tone(16_000, hz=1.3) > 0), tone(16_000, hz=700) * (tone(16_000, hz=1.3) < 0)
SILENCE = np.zeros_like(VOICE)


@pytest.mark.parametrize(
    ("planes", "expected", "note"),
    [
        ([VOICE, VOICE], VOICE, "mean of 2 channels"),
        ([VOICE, SILENCE], VOICE, "mean of 2 channels without silent FR"),
        ([0.01 * noise(16_000), VOICE], VOICE, "mean of 2 channels without silent FL"),
        ([VOICE, -VOICE], VOICE, "difference of 2 channels of opposite polarity"),
        ([VOICE, OTHER], VOICE + OTHER, "mean of 2 channels raised by 6.0 dB"),
        ([SILENCE, SILENCE, VOICE, SILENCE, SILENCE, SILENCE], VOICE, "ITU-R BS.775 without silent FL, FR, BL, BR"),
    ],
)
def test_a_voice_keeps_its_level_wherever_it_sits(
    tmp_path: Path, planes: list[np.ndarray], expected: np.ndarray, note: str
) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack(planes, axis=1), 16_000, subtype="FLOAT", format="WAVEX")
    recording, samples = decoded(tmp_path / "a.wav")
    assert recording.downmix == note
    assert np.abs(samples - expected).max() < 1e-4


def test_a_centre_voice_under_music_is_raised_and_the_bass_channel_left_out(tmp_path: Path) -> None:
    music, bass = 0.1 * noise(16_000), tone(16_000, hz=50, level=0.9)
    planes = np.stack([music, music, VOICE, bass, SILENCE, SILENCE], axis=1)
    soundfile.write(tmp_path / "a.wav", planes, 16_000, subtype="FLOAT", format="WAVEX")
    recording, samples = decoded(tmp_path / "a.wav")
    assert "raised" in recording.downmix
    assert level_db(samples) == pytest.approx(level_db(VOICE), abs=0.2)


def test_the_mean_of_loud_channels_does_not_clip(tmp_path: Path) -> None:
    loud = tone(16_000, level=0.99)
    soundfile.write(tmp_path / "a.wav", np.stack([loud, loud], axis=1), 16_000, subtype="FLOAT")
    _, samples = decoded(tmp_path / "a.wav")
    assert np.abs(samples - loud).max() < 1e-4


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [("a.mp3", "mp3", {}), ("a.m4a", "aac", {"movflags": "faststart"}), ("a.mka", "aac", {}), ("a.flac", "flac", {})],
)
def test_a_truncated_file_gives_what_is_there_and_says_so(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    path = encode(tmp_path / name, noise(44_100)[None], 44_100, codec, "mono", options)
    _, whole = decoded(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    recording, part = decoded(path)
    assert 3.0 < recording.duration < 4.5
    assert recording.damage.startswith(f"truncated: {recording.duration:.1f} of 6.0 s could be read")
    sure = len(part) - 4_410
    assert np.array_equal(part[:sure], whole[:sure])


def test_a_wav_shorter_than_its_header_and_an_ogg_without_end_say_so(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(16_000), 16_000)
    encode(tmp_path / "a.opus", noise(48_000)[None], 48_000, "libopus", "mono")
    for name, said in (
        ("a.wav", "truncated: 3.0 of 6.0 s could be read"),
        ("a.opus", "truncated: the stream has no end"),
    ):
        path = tmp_path / name
        assert decoded(path)[0].damage == ""
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        assert decoded(path)[0].damage.startswith(said)


def test_damage_inside_leaves_the_rest_in_its_place(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.flac", noise(44_100)[None], 44_100, "flac", "mono")
    _, whole = decoded(path)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3_000] = np.random.default_rng(0).bytes(3_000)
    path.write_bytes(data)
    recording, hurt = decoded(path)
    assert len(hurt) == pytest.approx(len(whole), abs=3)
    assert recording.damage
    assert abs(lag_of(hurt, whole, 4 * 44_100, 5 * 44_100)) <= 2


def test_missing_packets_become_silence_and_shift_nothing(tmp_path: Path) -> None:
    said = np.convolve(noise(48_000), np.ones(32) / 8, "same")
    path = encode(tmp_path / "a.m4a", said[None], 48_000, "aac", "mono")
    recording, gap = decoded(remux(path, tmp_path / "gap.m4a", lambda t: None if 2.0 <= t < 3.0 else t))
    assert recording.damage.startswith("1 gap filled with 1.0")
    assert np.abs(gap[round(2.1 * 48_000) : round(2.9 * 48_000)]).max() == 0
    assert lag_of(gap, said, 4 * 48_000, 5 * 48_000) == 0


def test_jitter_of_timestamps_and_a_reset_clock_change_nothing(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mka", noise(48_000)[None], 48_000, "aac", "mono")
    _, whole = decoded(path)
    _, jitter = decoded(remux(path, tmp_path / "jitter.mka", lambda t: t + 0.015 * (1 - np.cos(9 * t))))
    recording, reset = decoded(remux(path, tmp_path / "reset.mka", lambda t: t + (500 if t > 3 else 0)))
    size = len(whole) - 4_800
    assert np.array_equal(jitter[:size], whole[:size])
    assert np.array_equal(reset[:size], whole[:size])
    assert recording.damage == "1 jump of the timestamps ignored"


def test_a_spliced_mp3_changes_rate_and_layout_inside(tmp_path: Path) -> None:
    parts = [(22_050, "mono", 300.0), (44_100, "stereo", 600.0), (48_000, "mono", 900.0), (44_100, "stereo", 1_200.0)]
    data = b""
    for index, (rate, layout, hz) in enumerate(parts):
        planes = np.stack([tone(rate, 3.0, hz)] * len(av.AudioLayout(layout).channels))
        data += encode(tmp_path / f"{index}.mp3", planes, rate, "mp3", layout).read_bytes()
    (tmp_path / "spliced.mp3").write_bytes(data)
    recording, samples = decoded(tmp_path / "spliced.mp3")
    assert (recording.source_rate, recording.sampling_rate) == (22_050, 48_000)
    assert recording.duration == pytest.approx(12.0, abs=0.4)
    assert "truncated" not in recording.damage
    for index, (_, _, hz) in enumerate(parts):
        inside = samples[round((3.05 * index + 1.0) * 48_000) : round((3.05 * index + 2.0) * 48_000)]
        assert main_frequency(inside, 48_000) == pytest.approx(hz, abs=2)
        assert level_db(inside) == pytest.approx(level_db(tone(48_000)), abs=0.5)


def test_what_is_no_recording_is_refused_with_a_code(tmp_path: Path) -> None:
    encode(tmp_path / "whole.m4a", tone(44_100)[None], 44_100, "aac", "mono")
    whole = (tmp_path / "whole.m4a").read_bytes()
    box = whole.rindex(b"mp4a")
    files = {
        "empty.mp3": (b"", "empty-file"),
        "page.mp3": (b"\n<!DOCTYPE html><html><body>Not found</body></html>" * 40, "not-media"),
        "text.mp3": (b"No such episode.\n", "not-media"),
        "random.mp3": (np.random.default_rng(0).bytes(1_000), "not-media"),
        "captions.srt": (b"1\n00:00:01,000 --> 00:00:02,000\nHello\n\n", "no-audio-stream"),
        "cut.m4a": (whole[: len(whole) // 2], "incomplete-file"),
        "encrypted.m4a": (whole[:box] + b"enca" + whole[box + 4 :], "protected"),
    }
    for name, (content, code) in files.items():
        (tmp_path / name).write_bytes(content)
        assert code_of(tmp_path / name) == code, name
    assert code_of(tmp_path / "nowhere.mp3") == "missing-file"
    assert code_of(tmp_path) == "missing-file"


def test_a_video_without_audio_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as out:
        video = out.add_stream("mpeg4", rate=10, width=32, height=32, pix_fmt="yuv420p")
        out.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")))
        out.mux(video.encode(None))
    assert code_of(path) == "no-audio-stream"


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:6,\nsecret.ts\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile secret.ts\n",
    ],
)
def test_a_download_cannot_make_us_open_another_file(tmp_path: Path, text: str) -> None:
    encode(tmp_path / "secret.ts", tone(48_000)[None], 48_000, "aac", "mono")
    (tmp_path / "episode.mp3").write_text(text)
    assert code_of(tmp_path / "episode.mp3") == "not-media"


def test_the_same_bytes_in_give_the_same_bytes_out(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp3", np.stack([noise(44_100), noise(44_100, seed=1)]), 44_100, "mp3", "stereo")
    first = Path(decoded(path)[0].path).read_bytes()
    assert Path(decoded(path)[0].path).read_bytes() == first
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["r.flac"]


def test_what_is_too_long_is_cut_off_and_says_so(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(8_000), 8_000)
    recording, _ = decoded(tmp_path / "a.wav", replace(EXACT, max_seconds=2.0))
    assert 2.0 <= recording.duration < 3.1
    assert recording.damage == "cut off at 2 s (max_seconds)"


def test_an_offset_and_rumble_are_taken_out_and_the_voice_stays(tmp_path: Path) -> None:
    voice = tone(16_000, level=0.1)
    times = np.arange(len(voice)) / 16_000
    soundfile.write(tmp_path / "a.wav", voice + 0.3 + 0.3 * np.sin(2 * np.pi * 3 * times), 16_000, subtype="FLOAT")
    recording, samples = decoded(tmp_path / "a.wav", DecodeSettings())
    assert recording.duration == len(voice) / 16_000
    later = slice(8_000, None)
    assert abs(samples[later].mean()) < 1e-3
    assert level_db(samples[later]) == pytest.approx(level_db(voice[later]), abs=0.2)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_the_models_track_is_the_same_audio_at_their_rate(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "a.wav", noise(rate), rate)
    media = Media(str(tmp_path / "a.wav"), "0" * 64, 0, "")
    recording = decode(media, tmp_path / "r.flac", model_out=tmp_path / "m.flac")
    assert recording.heard_path == str(tmp_path / "m.flac")
    heard, heard_rate = soundfile.read(recording.heard_path)
    assert heard_rate == MODEL_RATE
    assert len(heard) == pytest.approx(recording.duration * MODEL_RATE, abs=1)
    wanted = read_span(recording.path, 1.0, 4.0)
    assert np.abs(heard[MODEL_RATE : 4 * MODEL_RATE] - wanted).max() < 1e-3


def test_silence_stays_silence(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.concatenate([tone(16_000), np.zeros(32_000)]), 16_000)
    _, samples = decoded(tmp_path / "a.wav", DecodeSettings())
    assert not samples[-16_000:].any()


def run_decode(source: Path, target: Path, before: str = "", after: str = "") -> str:
    """Decode in a process of its own; what it prints."""
    code = (
        "import resource, sys; from pathlib import Path; from schemas.recording import Media; "
        "from schemas.errors import EpisodeError; from transforms.decode import decode\n"
        f"{before}\n"
        "try: decode(Media(sys.argv[1], '', 0, ''), Path(sys.argv[2]))\n"
        "except EpisodeError as error: print(error)\n"
        f"{after}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(source), str(target)], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return done.stdout


def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(44_100), 44_100)
    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    said = run_decode(tmp_path / "a.wav", tmp_path / "out" / "r.flac", before=limit)
    assert said.startswith("disk-full: ")
    assert said.count("\n") == 1
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_no_space_left_is_told_apart_from_other_errors() -> None:
    loud = noise(16_000, 20.0).astype(np.float32)
    with pytest.raises(EpisodeError, match=r"^disk-full: .*No space left"), FlacFile(Path("/dev/full"), 16_000) as file:
        file.write(loud)
    with pytest.raises(EpisodeError, match=r"^write-failed: "):
        FlacFile(Path("/proc/nowhere/r.flac"), 16_000)


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    peaks = []
    block = np.stack([noise(44_100, 10.0), noise(44_100, 10.0, seed=1)], axis=1)
    for blocks in (2, 60):
        with soundfile.SoundFile(tmp_path / "long.flac", "w", 44_100, 2, "PCM_16") as file:
            for _ in itertools.repeat(None, blocks):
                file.write(block)
        after = "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        peaks.append(int(run_decode(tmp_path / "long.flac", tmp_path / "out" / "r.flac", after=after)))
    short, long = peaks
    # Ten minutes of it are 106 MB as 16-bit stereo, 212 MB as float.
    assert long - short < 12_000, "kilobytes"
