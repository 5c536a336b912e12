"""What a file is, by its bytes."""

import pytest

from transforms.sniff import transcript_format, why_not_audio


@pytest.mark.parametrize("end", [b"x", b"<!--", b"<html>"])
def test_comments_before_anything_take_linear_time(end: bytes) -> None:
    # With time that grows with every way to divide them, thirty comments would never end.
    hostile = b"<!---->" * 580 + end
    problem = why_not_audio(hostile, "it") or ""
    assert problem.startswith("html-not-audio" if end == b"<html>" else "text-not-audio")
    assert transcript_format(hostile) == ("page" if end == b"<html>" else "txt")


@pytest.mark.parametrize(
    "page",
    [b"<html>", b" <!doctype html>", b"<!-- a -->\n<!-- b --> <HTML>", b"<?xml version='1.0'?> <!-- > --><html>"],
)
def test_a_page_is_a_page_after_declaration_and_comments(page: bytes) -> None:
    assert (why_not_audio(page, "it") or "").startswith("html-not-audio: it is a web page")
