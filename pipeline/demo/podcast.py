"""Assemble the demonstration's podcast: two voices, a jingle, room noise, captions that are a little late, a feed."""

import html
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.demo.espeak import Espeak, Voice
from pipeline.demo.script import ENROLMENT, EPISODES
from transforms.text.spoken import tokenise

RATE = 22_050
VOICES = {"H": Voice("en-us+f5", rate=150, pitch=52, range=55), "G": Voice("en-us", rate=165, pitch=28)}
NAMES = {"H": "Host", "G": "Guest"}
_SEED = 20_260_601
_NOISE_DBFS = -62.0
_CAPTION_JITTER_SECONDS = 0.4
_PAUSE_SECONDS = (0.35, 0.9)


@dataclass(frozen=True)
class Turn:
    """A line of the script in an episode (seconds)."""

    speaker: str
    text: str
    start: float
    end: float


def as_said(text: str) -> str:
    """The text with numbers, dates and money spoken out (eSpeak reads "$3.50" and dates wrongly)."""
    said = []
    for token in tokenise(text):
        ending = token.text[-1] if token.text[-1:] in ".,?!" else ""
        said.append(" ".join(token.spoken) + ending if token.spoken else "")
    return " ".join(filter(None, said))


def jingle(seconds: float = 4.0) -> NDArray[np.float32]:
    """A falling arpeggio that fades out."""
    time = np.arange(int(seconds * RATE)) / RATE
    notes = (523.25, 659.25, 783.99, 1046.5, 783.99, 659.25, 523.25, 392.0)
    step = seconds / len(notes)
    frequency = np.asarray(notes)[np.minimum((time / step).astype(int), len(notes) - 1)]
    decay = np.exp(-4 * (time % step) / step)
    tone = sum(np.sin(2 * np.pi * frequency * k * time) / k**2 for k in (1, 2, 3))
    return (0.15 * tone * decay * np.linspace(1, 0.2, len(time))).astype(np.float32)


def assemble(lines: tuple[tuple[str, str], ...], seed: int) -> tuple[NDArray[np.float32], list[Turn]]:
    """One episode's samples at `RATE` Hz and its turns. The same seed gives the same samples."""
    speaker, random = Espeak(), np.random.default_rng(seed)
    pieces, turns = [jingle()], []
    clock = len(pieces[0]) / RATE
    for who, text in lines:
        pause = np.zeros(int(random.uniform(*_PAUSE_SECONDS) * RATE), np.float32)
        spoken = speaker.speak(as_said(text), VOICES[who])
        samples = spoken.samples * (0.1 / np.sqrt(np.mean(spoken.samples**2)))
        start = clock + len(pause) / RATE
        turns.append(Turn(who, text, start, start + len(samples) / RATE))
        pieces += [pause, samples]
        clock = turns[-1].end
    pieces.append(np.zeros(RATE, np.float32))
    track = np.concatenate(pieces)
    track += random.normal(0, 10 ** (_NOISE_DBFS / 20), len(track)).astype(np.float32)
    return np.clip(track, -0.99, 0.99), turns


def captions(turns: list[Turn], seed: int) -> str:
    """A WebVTT transcript whose times are wrong by up to 0.4 s, as publishers' are."""
    random = np.random.default_rng(seed)
    cues = ["WEBVTT\n"]
    for turn in turns:
        off = random.uniform(-_CAPTION_JITTER_SECONDS, _CAPTION_JITTER_SECONDS)
        start, end = _clock(turn.start + off), _clock(turn.end + off)
        cues.append(f"{start} --> {end}\n<v {NAMES[turn.speaker]}>{html.escape(turn.text, quote=False)}\n")
    return "\n".join(cues)


Script = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def write_podcast(folder: Path, base_url: str, script: Script = EPISODES) -> None:
    """Write episodes, captions, feed.xml, enroll.flac and consent.json into `folder`."""
    import soundfile

    (folder / "episodes").mkdir(parents=True, exist_ok=True)
    items = []
    for number, (title, lines) in enumerate(script, 1):
        samples, turns = assemble(lines, _SEED + number)
        name = f"episode-{number}"
        write_mp3(folder / "episodes" / f"{name}.mp3", samples)
        (folder / "episodes" / f"{name}.vtt").write_text(captions(turns, _SEED + number), encoding="utf-8")
        size = (folder / "episodes" / f"{name}.mp3").stat().st_size
        items.append(_item(number, name, title, size, len(samples) / RATE, base_url))
    (folder / "feed.xml").write_text(_feed(items, base_url), encoding="utf-8")
    soundfile.write(folder / "enroll.flac", Espeak().speak(ENROLMENT, VOICES["H"]).samples, RATE, subtype="PCM_16")
    (folder / "consent.json").write_text(json.dumps(CONSENT, indent=2) + "\n", encoding="utf-8")


CONSENT = {
    "who": "Host, a synthetic voice of eSpeak NG",
    "to_whom": "whoever runs this demonstration",
    "scope": ["tts-training", "research"],
    "date": "2026-06-01",
    "expiry": None,
    "statement": "This voice is a program. It may be used for trying realtalk out.",
}


def write_mp3(path: Path, samples: NDArray[np.float32]) -> None:
    """Encode mono samples at `RATE` Hz as MP3, 96 kbit/s."""
    import av

    pcm = (samples * 32767).astype(np.int16)[None, :]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mp3", rate=RATE)
        stream.layout, stream.bit_rate = "mono", 96_000
        for start in range(0, pcm.shape[1], 1152):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm[:, start : start + 1152]), "s16p", "mono")
            frame.sample_rate, frame.pts = RATE, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _clock(seconds: float) -> str:
    seconds = max(seconds, 0.0)
    return f"{int(seconds // 3600):02d}:{int(seconds % 3600 // 60):02d}:{seconds % 60:06.3f}"


def _item(number: int, name: str, title: str, size: int, seconds: float, base_url: str) -> str:
    return f"""  <item>
   <title>{html.escape(title)}</title>
   <guid isPermaLink="false">workshop-{number}</guid>
   <pubDate>Mon, {number:02d} Jun 2026 08:00:00 GMT</pubDate>
   <enclosure url="{base_url}/episodes/{name}.mp3" length="{size}" type="audio/mpeg"/>
   <itunes:duration>{round(seconds)}</itunes:duration>
   <podcast:transcript url="{base_url}/episodes/{name}.vtt" type="text/vtt" language="en"/>
   <podcast:person role="host">Host</podcast:person>
   <podcast:person role="guest">Guest</podcast:person>
  </item>"""


def _feed(items: list[str], base_url: str) -> str:
    body = "\n".join(items)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:podcast="https://podcastindex.org/namespace/1.0">
 <channel>
  <title>The Workshop (a synthetic demonstration)</title>
  <link>{base_url}/</link>
  <description>Two synthetic voices talk. Made by realtalk's demonstration.</description>
  <language>en</language>
  <podcast:guid>5d1b3a4e-6f0a-5a43-9f54-1f1f8a1f7b52</podcast:guid>
  <podcast:license>cc0-1.0</podcast:license>
  <podcast:txt purpose="ai-content">true</podcast:txt>
{body}
 </channel>
</rss>
"""
