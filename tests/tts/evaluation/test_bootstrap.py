"""Intervals hold what they should, and are the same at every run."""

import math

import numpy as np
import pytest

from tts.evaluation.bootstrap import mean, ratio


def test_the_interval_of_a_mean_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(1).normal(5.0, 2.0, 400)
    found = mean(values.tolist())
    assert found.value == pytest.approx(values.mean())
    assert found.n == 400
    # 1.96 standard errors on either side, to a tenth.
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    assert found.low < found.value < found.high


def test_intervals_cover_the_truth_nineteen_times_in_twenty() -> None:
    random = np.random.default_rng(2)
    covered = 0
    for _ in range(200):
        words = random.integers(5, 20, 60)
        errors = random.binomial(words, 0.1)
        found = ratio(errors, words)
        covered += found.low <= 0.1 <= found.high
    assert 0.88 <= covered / 200 <= 0.99


def test_a_ratio_weighs_clips_by_their_words() -> None:
    assert ratio([1, 0], [1, 9]).value == 0.1


def test_paired_differences_of_equal_versions_are_nothing_for_sure() -> None:
    found = ratio([0, 0, 0], [5, 7, 9])
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_the_same_values_have_the_same_interval() -> None:
    assert mean([1.0, 2.0, 4.0], seed=3) == mean([1.0, 2.0, 4.0], seed=3)


def test_what_could_not_be_measured_is_left_out() -> None:
    assert mean([1.0, math.nan, 3.0]).n == 2
    assert math.isnan(mean([]).value)
    assert math.isnan(ratio([], []).low)


def test_numerators_without_denominators_are_refused() -> None:
    with pytest.raises(ValueError, match="do not go with"):
        ratio([1.0], [1.0, 2.0])
