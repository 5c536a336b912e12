"""Learns the pronunciation model from a dictionary: python -m transforms.text.train_pronunciation --help.

The model that ships is made by the defaults: order, pruning and rounding were chosen on the held-out words that
`--evaluate` reports on.
"""

import argparse
import hashlib
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from transforms.text.dictionary import Dictionary, Pronunciation, default_dictionary_path
from transforms.text.g2p import GraphonePronouncer
from transforms.text.graphone_model import GraphoneModel, read_model, write_model
from transforms.text.graphones import Entry, GraphoneAligner
from transforms.text.ngrams import FIRST_SYMBOL, MAX_SYMBOLS, estimate
from transforms.text.pronunciation import MODEL_PATH

ORDER = 6
THRESHOLD = 0.6
# A split that fewer words show is a slip of the dictionary.
MIN_COUNT = 3
HELD_OUT_IN = 20


def dictionary_entries(path: Path) -> list[Entry]:
    """Words of letters and apostrophes with each of their pronunciations, in the order of the dictionary."""
    dictionary = Dictionary(path)
    return [
        Entry(word, phones)
        for word in dictionary
        if re.fullmatch("[a-z']*[a-z][a-z']*", word)
        for phones in dictionary.lookup(word)
    ]


def learn(entries: Sequence[Entry], order: int = ORDER, threshold: float = THRESHOLD) -> GraphoneModel:
    """A joint-sequence model of `entries`."""
    splits = [split for split in GraphoneAligner(entries).graphones() if split]
    counts = Counter(graphone for split in splits for graphone in split)
    frequent = sorted(counts, key=lambda graphone: (-counts[graphone], graphone))[: MAX_SYMBOLS - FIRST_SYMBOL + 1]
    graphones = tuple(sorted(graphone for graphone in frequent if counts[graphone] >= MIN_COUNT))
    symbols = {graphone: symbol for symbol, graphone in enumerate(graphones, start=FIRST_SYMBOL)}
    sequences = [[symbols[g] for g in split] for split in splits if all(g in symbols for g in split)]
    return GraphoneModel(graphones, tuple(estimate(sequences, order, threshold)))


def is_held_out(word: str) -> bool:
    """Whether a word belongs to the 5 % that the evaluation keeps from training, by its hash."""
    return int(hashlib.sha256(word.encode()).hexdigest(), 16) % HELD_OUT_IN == 0


def error_rates(pronouncer: GraphonePronouncer, entries: Iterable[Entry]) -> tuple[float, float]:
    """Phone and word error rates (0..1); of several pronunciations of a word the nearest counts."""
    references: dict[str, list[Pronunciation]] = defaultdict(list)
    for entry in entries:
        references[entry.word].append(entry.phones)
    edits = phones = wrong = 0
    for word, pronunciations in references.items():
        guess = next(iter(pronouncer.pronounce(word)), ())
        distance, length = min((_edit_distance(guess, right), len(right)) for right in pronunciations)
        edits, phones, wrong = edits + distance, phones + length, wrong + (distance > 0)
    return edits / phones, wrong / len(references)


def _edit_distance(guess: Pronunciation, right: Pronunciation) -> int:
    row = list(range(len(right) + 1))
    for i, phone in enumerate(guess, start=1):
        above, row = row, [i]
        for j, other in enumerate(right, start=1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (phone != other)))
    return row[-1]


def evaluate(entries: Sequence[Entry]) -> str:
    """Train on 95 % of the words, pronounce the others, say how well."""
    pronouncer = GraphonePronouncer(learn([entry for entry in entries if not is_held_out(entry.word)]))
    unseen = [entry for entry in entries if is_held_out(entry.word)]
    words = len({entry.word for entry in unseen})
    begin = time.process_time()
    phone_errors, word_errors = error_rates(pronouncer, unseen)
    milliseconds = 1000 * (time.process_time() - begin) / words
    return (
        f"{words} unseen words: phone error rate {100 * phone_errors:.2f} %, "
        f"word error rate {100 * word_errors:.2f} %, {milliseconds:.1f} ms a word"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Learn how words are pronounced from a dictionary.")
    parser.add_argument("--dictionary", type=Path, help="CMU format; default: the one of pocketsphinx")
    parser.add_argument("--out", type=Path, default=MODEL_PATH, help=f"default: {MODEL_PATH.name} of this package")
    parser.add_argument("--evaluate", action="store_true", help="error rates on 5 %% of the words; write nothing")
    parser.add_argument("--check", action="store_true", help="fail if the file would change; write nothing")
    options = parser.parse_args(arguments)
    entries = dictionary_entries(options.dictionary or default_dictionary_path())
    if options.evaluate:
        print(evaluate(entries))
        return 0
    model = learn(entries)
    if not options.check:
        write_model(model, options.out)
        print(f"{options.out}: {options.out.stat().st_size} bytes")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / options.out.name
        write_model(model, fresh)
        same = _same_model(read_model(fresh), read_model(options.out))
    print(f"{options.out}: {'as learned' if same else 'differs from what the dictionary gives'}")
    return 0 if same else 1


def _same_model(one: GraphoneModel, other: GraphoneModel) -> bool:
    """Whether two models say the same; their files may differ where another zlib compressed them."""
    return (
        one.graphones == other.graphones
        and len(one.levels) == len(other.levels)
        and all(
            a.tobytes() == b.tobytes()
            for x, y in zip(one.levels, other.levels, strict=True)
            for a, b in ((x.keys, y.keys), (x.log_probability, y.log_probability), (x.log_backoff, y.log_backoff))
        )
    )


if __name__ == "__main__":
    sys.exit(main())
