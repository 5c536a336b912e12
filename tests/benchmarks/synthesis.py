#!/usr/bin/env python3
"""What speaking costs: CPU seconds for a second of speech, and how soon the first samples are there.

    synthesis.py [--preset cpu] [--voice VOICE] [--threads 1] [--repeat 5] [--format json]

Without --voice: random weights of a preset's size, which take as long as trained ones. CPU seconds are those of this
process (all threads) for a paragraph, its text included; the first audio is that of a long sentence, from the call of
`speak` until samples are there, with everything loaded. Medians of all repeats.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

from tts.frontend.text import FrontEnd
from tts.models.presets import PRESETS
from tts.synthesis import speak
from tts.voice import Voice, load_voice

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tts"))
from small_voice import write_small_voice

LONG_SENTENCE = (
    "When the old keeper of the lighthouse had climbed the last of the two hundred steps, and had set down his lamp, "
    "and had looked for a long while over the grey and restless water, he saw far out, where the sea met the sky, "
    "the lights of a ship that nobody in the village had expected before the end of the following week."
)
PARAGRAPH = (
    f"{LONG_SENTENCE} He rubbed his eyes. Was it there? It was, and it came nearer with every turn of the light. "
    "By half past four on the morning of 12 March 1898, the whole village stood on the shore."
)


def measured(voice: Voice, front_end: FrontEnd, text: str) -> dict[str, float]:
    """Seconds until the first samples, CPU and wall seconds until the last, and of speech."""
    began, cpu = time.perf_counter(), time.process_time()
    first, count = 0.0, 0
    for samples in speak(voice, text, front_end=front_end):
        first = first or time.perf_counter() - began
        count += len(samples)
    return {
        "first": first,
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - began,
        "speech": count / voice.facts.features.sampling_rate,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="cpu", choices=list(PRESETS))
    parser.add_argument("--voice", help="a voice to speak with, instead of random weights")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--format", default="table", choices=["table", "json"])
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    with tempfile.TemporaryDirectory() as folder:
        preset = PRESETS[given.preset]
        place = given.voice or write_small_voice(Path(folder), acoustic=preset.acoustic, vocoder=preset.vocoder)
        voice = load_voice(place, given.device)
    front_end = FrontEnd()
    for _ in speak(voice, PARAGRAPH, front_end=front_end):
        pass
    paragraphs = [measured(voice, front_end, PARAGRAPH) for _ in range(given.repeat)]
    sentences = [measured(voice, front_end, LONG_SENTENCE) for _ in range(given.repeat)]
    figures = {
        "parameters_acoustic": sum(weight.numel() for weight in voice.acoustic.parameters()),
        "parameters_vocoder": sum(weight.numel() for weight in voice.vocoder.parameters()),
        "threads": given.threads,
        "paragraph_speech_s": statistics.median(one["speech"] for one in paragraphs),
        "cpu_s_per_speech_s": statistics.median(one["cpu"] / one["speech"] for one in paragraphs),
        "wall_s_per_speech_s": statistics.median(one["wall"] / one["speech"] for one in paragraphs),
        "sentence_speech_s": statistics.median(one["speech"] for one in sentences),
        "first_audio_ms": 1000 * statistics.median(one["first"] for one in sentences),
        "first_audio_worst_ms": 1000 * max(one["first"] for one in sentences),
    }
    if given.format == "json":
        print(json.dumps(figures, indent=2))
    else:
        print("\n".join(f"{name:22}{value:12.4g}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
