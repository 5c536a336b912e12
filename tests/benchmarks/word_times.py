#!/usr/bin/env python3
"""How far the aligner's word starts are from the synthesiser's own word events.

    word_times.py [--format json]

Speaks sentences with several voices of eSpeak NG, aligns them, and prints for each voice and for all of them the number
of words, the median, the 95th percentile and the mean signed error (ms). A sentence that can't be aligned is counted.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

# The tests' folders are named like the packages: the packages come first.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from espeak_speech import speak

from pipeline.demo.espeak import Voice
from transforms.models.base import AlignmentError
from transforms.models.sphinx import SphinxAligner

VOICES = [
    Voice("en-us+f5", rate=150),
    Voice("en-us+f2", rate=165),
    Voice("en-us+m1", rate=150),
    Voice("en-us+m3", rate=165),
    Voice("en-us", rate=150),
]
SENTENCES = [
    "the forms of printed letters should be beautiful and their arrangement on the page reasonable",
    "we kept the old machine in the kitchen for eleven months and it listened to the kettle",
    "nobody knows why seven people walked across the frozen river yesterday morning",
    "two people did and their tapes stayed empty until the following winter",
    "he said that a voice belongs to the one who speaks and to nobody else",
]


def errors_of(aligner: SphinxAligner, voice: Voice) -> tuple[list[float], int]:
    """Signed errors of word starts (ms), and how many sentences could not be aligned."""
    errors: list[float] = []
    lost = 0
    for text in SENTENCES:
        sentence = speak(text, voice)
        try:
            words = aligner.align(sentence.samples, text.split()).words
        except AlignmentError:
            lost += 1
            continue
        errors += [1000 * (words[number].start - start) for number, start in sentence.starts.items()]
    return errors, lost


def row(name: str, errors: list[float], lost: int) -> dict[str, float | str]:
    size = np.abs(errors)
    return {
        "voice": name,
        "words": len(errors),
        "median": round(float(np.median(size)), 1),
        "p95": round(float(np.percentile(size, 95)), 1),
        "mean": round(float(np.mean(errors)), 1),
        "lost": lost,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    arguments = parser.parse_args()
    aligner = SphinxAligner()
    found = [(voice.name, *errors_of(aligner, voice)) for voice in VOICES]
    rows = [row(*one) for one in found]
    rows.append(row("all", [error for _, errors, _ in found for error in errors], sum(lost for *_, lost in found)))
    if arguments.format == "json":
        print(json.dumps(rows))
    else:
        print("\n".join("  ".join(f"{name} {value}" for name, value in one.items()) for one in rows))


if __name__ == "__main__":
    main()
