"""README.md of a voice: whose it is, from what it was made, how good it is, and what it may not be used for."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tts.origin import PROHIBITED
from tts.voice import VoiceFacts, read_facts, write_whole

CARD_NAME = "README.md"
_SYSTEMS = ("original", "copy-synthesis", "synthesised")
# Key of an evaluation, what it is called, and what to multiply it by.
_TOLD = (("word_error_rate", "wrong words, %", 100.0), ("speaker_similarity", "likeness to the speaker, cosine", 1.0))


def write_card(folder: Path) -> None:
    """Write the card of the voice in a folder from its voice.json."""
    write_whole(folder / CARD_NAME, card(read_facts(folder)).encode("utf-8"))


def card(facts: VoiceFacts) -> str:
    """The card as Markdown, with front matter as model hubs read it."""
    origin = facts.origin
    return "\n".join(
        [
            "---",
            "library_name: realtalk",
            "pipeline_tag: text-to-speech",
            "tags: [text-to-speech, synthetic-speech]",
            "---",
            "",
            f"# {_plain(facts.name)}: a synthetic voice",
            "",
            "What it says is synthetic speech, and has to be marked as such.",
            "",
            "| | |",
            "| --- | --- |",
            *(f"| {name} | {_plain(value)} |" for name, value in _facts(facts)),
            "",
            "## Consent",
            "",
            _consent(facts),
            "",
            "## It may not be used for",
            "",
            *(f"- {one}" for one in PROHIBITED),
            "",
            "## Figures",
            "",
            *_figures(facts.figures),
            f"Made by realtalk, preset {facts.preset}; seconds are of clips of the tier {origin.tier}.",
            "",
        ]
    )


def _facts(facts: VoiceFacts) -> Iterator[tuple[str, str]]:
    origin = facts.origin
    yield "voice of", origin.speaker
    yield "dataset", f"{origin.dataset}, version {origin.dataset_version}"
    yield "learned from", f"{origin.seconds / 3600:.2f} h in {origin.clips} clips"
    yield "licences", ", ".join(origin.licenses) or "none on record"
    steps = ", ".join(f"{part} {steps}" for part, steps in facts.steps.items())
    minutes = ", ".join(f"{part} {minutes:.1f}" for part, minutes in facts.minutes.items())
    yield "steps", steps or "none yet"
    yield "minutes of training", minutes or "none yet"
    yield "sampling rate", f"{facts.features.sampling_rate} Hz"
    if origin.initialised_from:
        yield "began with", origin.initialised_from


def _consent(facts: VoiceFacts) -> str:
    origin = facts.origin
    if origin.without_consent:
        return (
            f"**NO CONSENT ON RECORD.** It was trained without one, for this reason: {_plain(origin.without_consent)}"
        )
    scope = ", ".join(origin.scope) or "not stated"
    until = f", until {origin.expiry}" if origin.expiry else ""
    return f"Consent `{_plain(origin.consent_id)}` of the speaker is on record; its scope: {_plain(scope)}{until}."


def _figures(figures: Mapping[str, Any]) -> list[str]:
    found = figures.get("evaluation")
    if not found:
        return ["Not evaluated yet: `realtalk evaluate VOICE DATASET`.", ""]
    heads = ["", *_SYSTEMS]
    return [
        f"On {found['clips']} held-out clips ({found['words']} words, {found['split']} split of the dataset), heard by "
        f"{_plain(found['models']['recogniser'])}; means with 95 % intervals.",
        "",
        f"| {' | '.join(heads)} |",
        f"|{' --- |' * len(heads)}",
        *(_figure(name, found[key], scale) for key, name, scale in _TOLD),
        "",
        f"It takes {found['speed']['cpu_a_second']:.3f} CPU seconds a second of speech on {_plain(found['device'])}.",
        "",
    ]


def _figure(name: str, values: Mapping[str, Any], scale: float) -> str:
    shown = [_interval(values.get(system), scale) for system in _SYSTEMS]
    return f"| {name} | {' | '.join(shown)} |"


def _interval(value: Mapping[str, Any] | None, scale: float) -> str:
    if value is None or value["value"] is None:
        return ""
    least, middle, most = (f"{scale * value[key]:.3g}" for key in ("low", "value", "high"))
    return f"{middle} ({least} to {most})"


def _plain(text: str) -> str:
    """Text that came from outside, on one line and without markup."""
    line = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in line)
