"""A folder to start from: a commented configuration and an example of a consent."""

import json
import os
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from pipeline.config import Config, is_uri, load_config
from schemas.errors import RealtalkError

CONFIG_NAME = "dataset.yaml"
CONSENT_NAME = "consent.example.json"


@dataclass(frozen=True)
class Answers:
    """What is already known of the dataset to be; "" where it is to be filled in by hand."""

    name: str = ""
    feed: str = ""
    files: str = ""
    speaker: str = ""


def init(folder: Path, answers: Answers) -> tuple[Path, Path]:
    """Write dataset.yaml and consent.example.json into a folder, made where it is missing; returns their paths.

    Raises RealtalkError where one of them is there already: nothing is overwritten; ConfigurationError for an answer
    that no configuration can hold.
    """
    config, consent = folder / CONFIG_NAME, folder / CONSENT_NAME
    for path in (config, consent):
        if path.exists():
            raise RealtalkError(f"{path}: is there already and is not overwritten; name another folder, or delete it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(config, _filled(answers, folder))
        if answers.feed or answers.files:
            _check(config)
        _write(consent, _template(CONSENT_NAME))
    except OSError as error:
        raise RealtalkError(f"{error.filename or folder}: can't be written: {error.strerror}") from None
    return config, consent


def _check(config: Path) -> Config:
    """Read what was written; an answer that makes it no configuration leaves nothing behind."""
    try:
        return load_config(config)
    except RealtalkError:
        config.unlink()
        raise


def _filled(answers: Answers, folder: Path) -> str:
    name = answers.name or folder.resolve().name or "readings"
    return Template(_template(CONFIG_NAME)).substitute(
        name=_quoted(name),
        folder=re.sub(r"[^\w.-]+", "-", name).strip("-.") or "dataset",
        sources="\n".join(_sources(answers, folder)),
        speaker=_quoted(answers.speaker or "Host"),
    )


def _sources(answers: Answers, folder: Path) -> list[str]:
    lines = []
    if answers.feed:
        lines.append(f"  - feed: {_quoted(answers.feed)}")
    if answers.files:
        lines.append(f"  - files: {_quoted(_from_folder(answers.files, folder))}")
    if not lines:
        lines.append('  - feed: ""                      # FILL IN: the address of the podcast\'s feed, or instead')
        lines.append("  # - files: ./archive/*.mp3      # recordings; NAME.vtt .srt .json .txt beside each is its text")
    return lines


def _from_folder(pattern: str, folder: Path) -> str:
    """A pattern given where the command runs, as the configuration's folder sees it."""
    if is_uri(pattern) or os.path.isabs(pattern) or pattern.startswith("~"):
        return pattern
    return os.path.relpath(pattern, folder)


def _quoted(text: str) -> str:
    """Text as YAML, in double quotes where it would mean something else bare."""
    return (
        text
        if re.fullmatch(r"[A-Za-z][\w ./:*-]*[\w/*]", text) and not _looks_otherwise(text)
        else json.dumps(text, ensure_ascii=False)
    )


def _looks_otherwise(text: str) -> bool:
    return ": " in text or text.lower() in ("null", "true", "false", "yes", "no", "on", "off", "none")


def _template(name: str) -> str:
    return (files("pipeline") / "templates" / name).read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
