"""Which clips a person should hear."""

import numpy as np

from pipeline.report.picks import (
    RANDOM,
    SAMPLE,
    merge_picks,
    nearest_picks,
    random_picks,
    reasons_to_hear,
    worst_picks,
)

IDS = [f"clip-{number:03d}" for number in range(200)]
EPISODES = [f"e{number % 7}" for number in range(200)]


def test_the_random_sample_is_the_same_in_whatever_order_and_parts_the_clips_come() -> None:
    whole = random_picks(IDS, EPISODES)
    parts = [random_picks(IDS[first : first + 50], EPISODES[first : first + 50]) for first in (150, 0, 100, 50)]
    merged = parts[0]
    for part in parts[1:]:
        merged = merge_picks(merged, part)
    assert merged == whole
    assert len(whole[RANDOM]) == SAMPLE
    assert [clip for _, clip, _ in whole[RANDOM]] != IDS[:SAMPLE]


def test_the_worst_are_at_the_bad_end_of_a_score() -> None:
    values = np.linspace(1.0, 4.0, 200)
    (lowest,) = worst_picks("dnsmos_ovrl", values, IDS, EPISODES).values()
    (highest,) = worst_picks("disagreement", values, IDS, EPISODES).values()
    assert [clip for _, clip, _ in lowest] == IDS[:3]
    assert [clip for _, clip, _ in highest] == IDS[-1:-4:-1]


def test_a_column_without_a_bad_end_has_no_worst_and_nothing_bad_is_not_bad() -> None:
    assert worst_picks("duration", np.ones(200), IDS, EPISODES) == {}
    assert worst_picks("overlap", np.zeros(200), IDS, EPISODES) == {"worst:overlap": ()}
    assert worst_picks("snr_db", np.full(200, np.nan), IDS, EPISODES) == {"worst:snr_db": ()}


def test_the_nearest_are_on_both_sides_of_a_limit_and_nothing_else_speaks_against_those_left_out() -> None:
    values = np.linspace(0.0, 1.99, 200)
    kept, only = values >= 1.0, values < 0.5
    picks = nearest_picks("coverage", "least", 1.0, values, kept, only, IDS, EPISODES)
    assert [clip for _, clip, _ in picks["nearest:coverage:least:kept"]] == IDS[100:102]
    assert [clip for _, clip, _ in picks["nearest:coverage:least:left out"]] == IDS[49:47:-1]


def test_a_clip_that_is_picked_twice_is_heard_once_with_both_reasons() -> None:
    picks = merge_picks(random_picks(IDS[:1], EPISODES[:1]), {"worst:snr_db": ((1.0, IDS[0], EPISODES[0]),)})
    picks = merge_picks(picks, {"nearest:snr_db:least:kept": ((0.1, IDS[3], EPISODES[3]),)})
    assert reasons_to_hear(picks) == {
        (EPISODES[0], IDS[0]): ["random", "worst:snr_db"],
        (EPISODES[3], IDS[3]): ["nearest:snr_db"],
    }
