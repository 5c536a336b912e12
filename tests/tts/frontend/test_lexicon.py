from pathlib import Path

import pytest

from schemas.errors import ConfigurationError
from tts.frontend.lexicon import read_lexicon


def written(folder: Path, text: str) -> Path:
    path = folder / "own.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_words_and_phones_with_or_without_commas(tmp_path: Path) -> None:
    path = written(tmp_path, '# mine\nGIF JH IH1 F\n\nC++,S IY1\n"Po",P OW\nlong\tL AO NG\nO’Hara OW HH\n')
    assert read_lexicon(path) == {
        "gif": ("JH", "IH", "F"), "c++": ("S", "IY"), "po": ("P", "OW"), "long": ("L", "AO", "NG"),
        "o'hara": ("OW", "HH"),
    }  # fmt: skip


def test_every_bad_line_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "gif JH IH QX\nok OW K EY\nok AH\nalone\n")
    with pytest.raises(ConfigurationError) as caught:
        read_lexicon(path)
    said = str(caught.value)
    assert "line 1: 'gif': 'QX' is no ARPAbet phone; " in said
    assert "line 3: 'ok' is given twice; line 4: 'alone': there are no phones; " in said
    assert "\n" not in said


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^--lexicon .*none.txt: can't be read"):
        read_lexicon(tmp_path / "none.txt")
