"""Which rows of episodes/ are told to the person who built."""

from typing import Any

from pipeline.troubles import Trouble, troubles_of


def row(**values: Any) -> dict[str, Any]:
    names = ("title", "guid", "source_url", "failed_stage", "error", "error_detail", "damage")
    return {"episode_id": "e", "state": "done", **dict.fromkeys(names), **values}


def test_what_gave_nothing_comes_before_what_was_damaged() -> None:
    rows = [
        row(title="Whole", error_detail="no transcript is published"),
        row(title="Short", damage="truncated: 18.1 of 36.4 s could be read"),
        row(title="Other", failed_stage="target", error="target-absent", error_detail="nobody"),
        row(state="failed", source_url="http://x/feed", failed_stage="feeds", error="http-404", error_detail="gone"),
    ]
    assert troubles_of(rows) == (
        Trouble("e", "Other", "target", "target-absent", "nobody"),
        Trouble("e", "http://x/feed", "feeds", "http-404", "gone"),
        Trouble("e", "Short", "recording", "damaged", "truncated: 18.1 of 36.4 s could be read"),
    )


def test_an_episode_is_named_once_and_what_a_feed_leaves_out_not_at_all() -> None:
    rows = [
        row(
            state="failed", failed_stage="speech", error="no-speech", error_detail="none", damage="truncated: 1 of 2 s"
        ),
        row(state="skipped", failed_stage="feeds", error="blocked", error_detail="the feed asks so"),
    ]
    assert [trouble.code for trouble in troubles_of(rows)] == ["no-speech"]
