"""The order that clips are learned from in."""

from itertools import islice

import numpy as np
import pytest

from tts.data.batches import endless, epoch_batches

LENGTHS = np.random.default_rng(1).integers(50, 800, 300)


def test_a_pass_has_each_clip_once_and_no_batch_is_too_large() -> None:
    batches = epoch_batches(LENGTHS, 2000, seed=3, epoch=0)
    assert sorted(np.concatenate(batches).tolist()) == list(range(300))
    assert max(len(batch) * LENGTHS[batch].max() for batch in batches) <= 2000


def test_little_of_a_batch_is_padding() -> None:
    batches = epoch_batches(LENGTHS, 4000, seed=3, epoch=0)
    padded = sum(len(batch) * LENGTHS[batch].max() for batch in batches)
    assert LENGTHS.sum() / padded > 0.85


def test_a_clip_that_is_longer_than_a_batch_is_one_by_itself() -> None:
    assert [batch.tolist() for batch in epoch_batches(np.array([5000]), 2000, 0, 0)] == [[0]]


def test_passes_differ_and_seeds_do_and_nothing_else_does() -> None:
    first = [batch.tolist() for batch in epoch_batches(LENGTHS, 2000, 3, 0)]
    assert first == [batch.tolist() for batch in epoch_batches(LENGTHS, 2000, 3, 0)]
    assert first != [batch.tolist() for batch in epoch_batches(LENGTHS, 2000, 3, 1)]
    assert first != [batch.tolist() for batch in epoch_batches(LENGTHS, 2000, 4, 0)]


@pytest.mark.parametrize("start", [1, 7, 200])
def test_who_goes_on_sees_the_same_order(start: int) -> None:
    whole = [batch.tolist() for batch in islice(endless(LENGTHS, 2000, 3), start + 5)]
    rest = [batch.tolist() for batch in islice(endless(LENGTHS, 2000, 3, start), 5)]
    assert rest == whole[start:]


def test_processes_share_a_pass_without_a_clip_twice() -> None:
    rounds = len(epoch_batches(LENGTHS, 2000, 3, 0)) // 4
    shares = [list(islice(endless(LENGTHS, 2000, 3, 0, rank, 4), rounds)) for rank in range(4)]
    seen = [clip for share in shares for batch in share for clip in batch.tolist()]
    assert len(seen) == len(set(seen))
    assert len(seen) > 250


def test_another_number_of_processes_goes_on_where_the_others_were() -> None:
    alone = [batch.tolist() for batch in islice(endless(LENGTHS, 2000, 3), 12)]
    two = [next(endless(LENGTHS, 2000, 3, 8, rank, 2)).tolist() for rank in range(2)]
    assert two == alone[8:10]
