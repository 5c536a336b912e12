"""What is written in books and letters, and would be read wrongly as captions are."""

import re

# Thousands apart by spaces: "1 000 000"; by narrow ones also where the last aren't zeros.
_APART = re.compile(r"(?<![\d.,])\d{1,3}(?:(?: \d{3})* 000|(?:[\u00a0\u2009\u202f]\d{3})+)(?![\d,]|\.\d)")
_TELEPHONE = re.compile(r"\+\d{1,3}(?:[ \u00a0]\(?\d{2,4}\)?){2,5}(?!\d)")
# References to notes are not read; other words in square brackets are an editor's.
_REFERENCE = re.compile(r"\[[\d, –-]*\]")
_EDITED = re.compile(r"\[([^\[\]]{0,200})\]")
_NOTES = re.compile("[♪♫♬]+")
_SIGNS = ((re.compile(r"(?<!\w)~(?=\d)"), "about "), (re.compile(r"±\s?(?=\d)"), "plus or minus "))


def as_tokenised(text: str) -> str:
    """The text, written so that transforms.text.spoken.tokenise reads it as a book is read."""
    text = _APART.sub(lambda match: re.sub(r"\s", "", match[0]), text)
    text = _TELEPHONE.sub(lambda match: re.sub(r"[ \u00a0]", "-", re.sub(r"[()]", "", match[0])), text)
    text = _EDITED.sub(r"(\1)", _REFERENCE.sub("", _NOTES.sub(" ", text)))
    for sign, words in _SIGNS:
        text = sign.sub(words, text)
    return text
