"""An episode's turns as the report shows them."""

import pyarrow as pa

from pipeline.report.turns import MOST_SPANS, timeline


def turns(*rows: tuple[float, float, str, bool]) -> pa.Table:
    return pa.table({name: [row[k] for row in rows] for k, name in enumerate(("start", "end", "speaker", "is_target"))})


def test_who_else_speaks_is_told_with_the_longest_first_and_without_the_target() -> None:
    told = timeline(turns((0.0, 10.0, "S0", True), (10.0, 12.0, "S2", False), (12.0, 15.0, "S1", False)))
    assert told["others"] == [{"speaker": "S1", "seconds": 3.0}, {"speaker": "S2", "seconds": 2.0}]
    assert told["timeline"] == [[0.0, 10.0, 0, 1], [10.0, 12.0, 2, 0], [12.0, 15.0, 1, 0]]
    assert told["speaker_names"] == ["S0", "S1", "S2"]


def test_a_long_episode_is_drawn_with_few_spans_that_cover_the_same_time() -> None:
    rows = [(2.0 * n, 2.0 * n + 1.8, "S0" if n % 50 < 40 else "S1", n % 50 < 40) for n in range(3000)]
    spans = timeline(turns(*rows))["timeline"]
    assert len(spans) <= MOST_SPANS
    assert (spans[0][0], spans[-1][1]) == (0.0, 5999.8)
    assert {tuple(span[2:]) for span in spans} == {(0, 1), (1, 0)}


def test_what_cannot_be_joined_is_left_out_from_the_shortest_on() -> None:
    rows = [(20.0 * n, 20.0 * n + (5.0 if n % 2 else 1.0), f"S{n % 2}", False) for n in range(2 * MOST_SPANS)]
    spans = timeline(turns(*rows))["timeline"]
    assert len(spans) == MOST_SPANS
    assert all(end - start == 5.0 for start, end, *_ in spans)
