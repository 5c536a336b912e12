"""The page of a report: one file, whose texts are text and whose policy lets nothing else run."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from report_example import CLIPS, HOSTILE, example, media_of

from pipeline.report.clip_media import QueueClip
from pipeline.report.page import render


class Page(HTMLParser):
    """What a browser's parser makes of it: tags with their attributes, texts of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[tuple[dict[str, str | None], str]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.inside.append((dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            attributes, text = self.inside.pop()
            self.inside.append((attributes, text + data))
        else:
            self.texts.append(data)

    def json(self, name: str) -> object:
        return next(json.loads(text) for attributes, text in self.inside if attributes.get("id") == name)


@pytest.fixture(scope="module")
def hostile() -> str:
    report = example(HOSTILE)
    return render(report, media_of(report))


def test_hostile_texts_are_text(hostile):
    page = Page(hostile)
    names = [name for name, _ in page.tags]
    assert "img" not in names
    scripts = [attributes for name, attributes in page.tags if name == "script"]
    assert [attributes.get("type") for attributes in scripts] == ["application/json"] * 4 + [None]
    assert "alert(1)" not in "".join(text for attributes, text in page.inside if not attributes.get("id"))
    assert HOSTILE in page.texts[1:]


def test_hostile_texts_in_data_come_back_the_same(hostile):
    page = Page(hostile)
    assert {one["text"] for one in page.json("queue-data")} == {HOSTILE}
    assert page.json("episodes-data")["rows"][0][1] == f"0 {HOSTILE}"
    assert "\u2028" not in "".join(text for attributes, text in page.inside if attributes.get("id"))


def test_no_tag_has_a_style_or_an_event_or_leads_outside(hostile):
    for name, attributes in Page(hostile).tags:
        for attribute, value in attributes.items():
            assert attribute != "style", name
            assert not attribute.startswith("on"), name
            assert attribute not in ("src", "href") or str(value).startswith("#"), name


def test_the_policy_has_the_hashes_of_what_is_there(hostile):
    page = Page(hostile)
    policy = next(
        attributes["content"]
        for name, attributes in page.tags
        if name == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    for directive, text in (("style-src", page.inside[0][1]), ("script-src", page.inside[-1][1])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    # A policy is obeyed from where it stands: nothing that loads or runs may come before it.
    assert hostile.index("Content-Security-Policy") < hostile.index("<style>")


def test_sections_are_in_their_order_and_the_navigation_leads_to_each():
    page = Page(render(example(), {}))
    sections = [attributes["id"] for name, attributes in page.tags if name == "section"]
    assert sections == ["verdict", "funnel", "scores", "episodes", "queue", "text", "rights", "configuration"]
    links = [attributes["href"] for name, attributes in page.tags if name == "a"]
    assert links[1:] == [f"#{name}" for name in sections]


def test_ids_are_there_once(hostile):
    ids = [attributes["id"] for _, attributes in Page(hostile).tags if "id" in attributes]
    assert sorted(ids) == sorted(set(ids))


def test_gates_say_what_was_seen_and_what_nobody_looked_at():
    text = re.sub(r"<[^>]+>", " ", render(example(), {}))
    assert re.search(r"clips\s+6\s+100\s+✗\s+no", text)
    assert re.search(r"loudness_lufs_p50\s+−20\s+−30 to any\s+✓\s+yes", text)
    assert re.search(r"split_leakage\s+–\s+0\s+○\s+not looked at", text)


def test_another_threshold_is_told_in_words():
    # Two clips of three seconds have a similarity of 0.65 and of 0.66; the limit is 0.70.
    assert "Speaker similarity 0.7 to 0.64: +6.0 s" in render(example(), {})


def test_the_sample_proves_what_its_size_allows():
    report = example()
    share = report["sample"]["most_faulty_share"]
    assert report["sample"]["size"] == 6
    assert (
        f"6 clips: 0 faults in them mean with 95.0 % confidence that fewer than {100 * share:.1f} % are faulty"
        in render(report, {})
    )


def test_audio_beside_the_page_is_named_not_held():
    report = example()
    page = Page(render(report, {"e0-0": QueueClip("clips/e0-0.mp3", (0.5,), "data:image/png;base64,", 0.04)}))
    assert page.json("media-data") == {"e0-0": ["clips/e0-0.mp3", [0.5], "data:image/png;base64,", 0.04]}


def test_a_hundred_and_fifty_clips_stay_under_ten_megabytes():
    report = example()
    media = media_of(report)
    size = sum(len(one.audio) + len(one.spectrogram) for one in media.values()) / (2 * CLIPS)
    # Clips of three seconds; those of podcasts are twice as long, and their audio is what grows.
    assert size < 30_000
    assert len(render(report, {}).encode()) + 150 * 2 * size < 10_000_000


def test_a_report_of_nothing_is_a_page():
    report = example(episodes=0)
    report["queue"] = []
    assert "No clip is in the queue" in render(report, {})
