"""Dividing words into clips: the cheapest division inside the limits, never at a place where none can be."""

from transforms.segmentation import Boundary, Lengths, divide

LENGTHS = Lengths(1.0, 15.0, 3.0, 12.0)
NEVER = float("inf")


def at(*places: tuple[float, float]) -> list[Boundary]:
    """Boundaries (second, cost)."""
    return [Boundary(second, second, cost) for second, cost in places]


def test_words_that_fit_stay_together() -> None:
    assert divide(at((0, 0), (2, 2.2), (4, 2.2), (6, 0)), LENGTHS) == ((0, 3),)


def test_it_divides_where_it_is_cheapest() -> None:
    boundaries = at((0, 0), (5, 2.2), (8, 0), (11, 2.2), (16, 0))
    assert divide(boundaries, LENGTHS) == ((0, 2), (2, 4))


def test_it_never_divides_where_it_cannot_and_leaves_out_what_does_not_fit() -> None:
    boundaries = at((0, 0), (5, NEVER), (10, NEVER), (20, 0), (26, 0))
    assert divide(boundaries, LENGTHS) == ((3, 4),)
    assert divide(at((0, 0), (0.5, 0)), LENGTHS) == ()


def test_words_at_an_edge_that_is_none_are_left_out_alone() -> None:
    boundaries = at((0, NEVER), (0.4, 3.7), (6, 0))
    assert divide(boundaries, LENGTHS) == ((1, 2),)


def test_short_sentences_share_a_clip_but_not_across_a_divide() -> None:
    assert divide(at((0, 0), (1.5, 0), (3.2, 0)), LENGTHS) == ((0, 2),)
    apart = [Boundary(0, 0, 0), Boundary(1.5, 2.9, 0, 1.4, divides=True), Boundary(4.5, 4.5, 0)]
    assert divide(apart, LENGTHS) == ((0, 1), (1, 2))


def test_a_long_pause_is_rather_divided_at_than_kept() -> None:
    places = [Boundary(0, 0, 0), Boundary(4.0, 4.7, 2.2, 0.9), Boundary(9.0, 9.0, 0)]
    assert divide(places, LENGTHS) == ((0, 2),)
    longer = [Boundary(0, 0, 0), Boundary(4.0, 5.5, 2.2, 1.6), Boundary(9.0, 9.0, 0)]
    assert divide(longer, LENGTHS) == ((0, 1), (1, 2))


def test_no_clip_is_outside_of_the_limits() -> None:
    boundaries = [Boundary(second, second, 0.0) for second in range(0, 200, 7)]
    spans = [(boundaries[i].start, boundaries[j].end) for i, j in divide(boundaries, LENGTHS)]
    assert spans[0][0] == 0
    assert spans[-1][1] == 196
    assert all(1.0 <= end - start <= 15.0 for start, end in spans)
