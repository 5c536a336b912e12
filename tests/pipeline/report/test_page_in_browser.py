"""The page in a real headless Chromium: it plays, lights up, filters, sorts, and what it writes is taken in."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, chromium
from report_example import CLIPS, HOSTILE, example, media_of
from small_dataset import flac, noise_bursts, write_dataset

from pipeline.report.clip_media import as_media
from pipeline.report.page import render
from pipeline.review import take_review

TEXT = "What is said."


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture(scope="module")
def page_file(tmp_path_factory) -> Path:
    report = example(TEXT, episodes=3)
    return written(tmp_path_factory.mktemp("page") / "index.html", render(report, media_of(report)))


@pytest.fixture
def page(browser, page_file) -> Browser:
    browser.resize(1280)
    browser.open(page_file)
    browser.run("localStorage.clear()")
    browser.open(page_file)
    return browser


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def shown_clips(page: Browser) -> list[str]:
    return page.run("[...document.querySelectorAll('#queue-list [data-id]')].map(one => one.dataset.id)")


def choose(page: Browser, name: str, value: str) -> None:
    page.run(f"""(() => {{
        const control = document.getElementById({name!r});
        control.value = {value!r};
        control.dispatchEvent(new Event("input"));
        control.dispatchEvent(new Event("change"));
    }})()""")


def wait_for(path: Path) -> None:
    end = time.monotonic() + 20
    while not (path.is_file() and path.stat().st_size):
        assert time.monotonic() < end, f"{path} was not downloaded"
        time.sleep(0.05)


def test_it_opens_without_an_error_and_asks_nobody(page, page_file):
    assert page.errors == []
    assert [url for url in page.requests if not url.startswith("data:")] == [page_file.resolve().as_uri()]
    assert page.run("document.title") == f"{TEXT}: quality report"


def test_hostile_texts_run_nothing(browser, tmp_path):
    report = example(HOSTILE)
    browser.open(written(tmp_path / "hostile.html", render(report, media_of(report))))
    browser.run("document.querySelector('#episodes-rows button').click()")
    browser.press("j")
    assert browser.errors == []
    assert browser.dialogs == []
    assert browser.run("document.querySelectorAll('img').length") == 1, "the spectrogram"
    assert browser.run("document.querySelector('#queue-card .word').textContent") == HOSTILE
    assert browser.run("document.querySelector('h1').textContent") == HOSTILE


def test_the_policy_stops_a_script_that_got_in(browser, tmp_path):
    text = render(example(), {}).replace(
        "</main>", "</main><script>alert(1)</script><p onclick='alert(2)' id='bad'>x</p>"
    )
    browser.open(written(tmp_path / "broken.html", text))
    browser.run("document.getElementById('bad').click()")
    assert browser.dialogs == []
    assert len([error for error in browser.errors if "Content Security Policy" in error]) == 2


def test_a_clip_plays_and_its_words_light_up(page):
    assert page.run("document.querySelector('.pictures img').naturalHeight") == 80
    page.run("document.querySelector('.play').click()")
    page.until("document.getElementById('player').currentTime > 0.2")
    page.until("document.querySelector('.word.lit')?.textContent === 'follows'")
    assert page.run("parseFloat(document.querySelector('.playhead').style.left)") > 20
    assert page.run("document.querySelector('.play').textContent") == "❚❚ Pause"
    page.run("document.querySelector('.play').click()")
    assert page.run("document.getElementById('player').paused")
    assert page.errors == []


def test_audio_beside_the_page_plays_from_disk(browser, tmp_path):
    report = example()
    media = as_media(flac(noise_bursts(1)))
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "e0-0.mp3").write_bytes(media.mp3)
    browser.open(written(tmp_path / "index.html", render(report, {"e0-0": media.beside("clips/e0-0.mp3")})))
    browser.run("document.querySelector('.play').click()")
    browser.until("document.getElementById('player').currentTime > 0.2")
    assert browser.errors == []


def test_filters_filter(page):
    assert len(shown_clips(page)) == 2 * CLIPS
    choose(page, "queue-why", "random")
    assert shown_clips(page) == [f"e0-{number}" for number in range(CLIPS)]
    choose(page, "queue-search", "E0-2")
    assert shown_clips(page) == ["e0-2"]
    choose(page, "queue-search", "")
    choose(page, "queue-verdict", "rejected")
    assert shown_clips(page) == ["e0-3"]
    choose(page, "episodes-filter", "2 what")
    assert page.run("document.querySelectorAll('#episodes-rows tr:not(.detail)').length") == 1


def test_sorts_sort(page):
    choose(page, "queue-sort", "speaker_similarity")
    assert shown_clips(page) == ["e0-3", "e1-3", "e0-2", "e1-2", "e0-1", "e1-1", "e0-0", "e1-0"]
    choose(page, "queue-order", "descending")
    assert shown_clips(page)[0] == "e1-0"
    lengths = (
        "[...document.querySelectorAll('#episodes-rows tr:not(.detail) td:nth-of-type(2)')].map(one => one.textContent)"
    )
    page.run("document.querySelector('[data-key=seconds] button').click()")
    assert page.run(lengths) == ["1:02", "1:01", "1:00"]
    assert page.run("document.querySelector('[data-key=seconds]').getAttribute('aria-sort')") == "descending"
    page.run("document.querySelector('[data-key=seconds] button').click()")
    assert page.run(lengths) == ["1:00", "1:01", "1:02"]


def test_keys_lead_through_the_queue(page):
    page.run("document.getElementById('queue').scrollIntoView({behavior: 'instant'})")
    page.press("j")
    page.press("j")
    page.press("k")
    assert page.run("document.querySelector('#queue-list [aria-current]').dataset.id") == "e0-1"
    page.press("4")
    assert page.run("document.querySelector('.judge[aria-pressed=true]').dataset.verdict") == "bad_audio"
    page.press(" ")
    page.until("!document.getElementById('player').paused")
    page.press("?")
    assert page.run("document.getElementById('help').open")


def test_verdicts_outlive_a_reload(page, page_file):
    page.run("document.querySelector('.judge.wrong_speaker').click()")
    page.open(page_file)
    assert page.run("document.querySelector('.judge[aria-pressed=true]').dataset.verdict") == "wrong_speaker"
    assert "Of the random sample 1 of 6 are heard. 1 fault in 1" in page.run(
        "document.getElementById('queue-sample').textContent"
    )


def test_review_csv_is_what_review_takes(page, tmp_path):
    page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.run("document.querySelector('.judge.ok').click()")
    page.press("j")
    page.run("document.querySelector('.judge.wrong_text').click()")
    assert page.run("document.getElementById('field-corrected_text').value") == TEXT
    choose(page, "field-corrected_text", 'He said: "So, what?"')
    page.press("j")
    page.run("document.querySelector('.judge.wrong_text').click()")
    page.press("k")
    choose(page, "field-note", "two\nlines, ÄÖ")
    page.run("document.getElementById('queue-download').click()")
    assert "Say who listened" in page.run("document.getElementById('queue-says').textContent")
    choose(page, "reviewer", "Ada, of London")
    page.run("document.getElementById('queue-download').click()")
    path = tmp_path / "review.csv"
    wait_for(path)
    lines = path.read_bytes().decode().split("\r\n")
    assert lines[0] == "id,verdict,corrected_text,note,reviewer,time"
    assert lines[1].startswith('e0-0,ok,,,"Ada, of London",20')
    assert lines[2].startswith('e0-1,wrong_text,"He said: ""So, what?""","two\nlines, ÄÖ","Ada, of London",20')
    # A text that nobody changed corrects nothing.
    assert lines[3].startswith('e0-2,wrong_text,,,"Ada, of London",20')
    dataset = write_dataset(tmp_path / "dataset", clips=3, episodes=1)
    taken = take_review(str(dataset), path)
    assert {verdict: count for verdict, count in taken.reviews.items() if count} == {"ok": 1, "wrong_text": 2}
    assert taken.left_out == 2


def test_ten_thousand_episodes_are_shown_a_hundred_at_a_time(browser, tmp_path):
    report = example(episodes=10_000)
    for one in report["episodes"]:
        one["timeline"] = None
    browser.open(written(tmp_path / "large.html", render(report, {})))
    assert browser.run("document.querySelectorAll('#episodes-rows tr').length") == 100
    took = browser.run("""(() => {
        const start = performance.now();
        document.querySelector("[data-key=seconds] button").click();
        return performance.now() - start;
    })()""")
    assert took < 2000
    assert browser.run("document.querySelector('#episodes-rows td:nth-of-type(2)').textContent") == "2:47:39"


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_sticks_out_of_the_page(page, page_file, width):
    page.resize(width)
    page.open(page_file)
    assert page.run("document.documentElement.scrollWidth") <= width
