"""Where things stand in the pictures of the site, whatever their numbers."""

from __future__ import annotations

import re
from itertools import combinations

from hypothesis import example, given
from hypothesis import strategies as st

from cdner_bench.site.plots import BOTTOM, LEFT, MOST_LINES, RIGHT, TOP, Point, draw_costs, draw_courses, find_edge

costs = st.one_of(st.just(0.0), st.floats(1e-6, 1e12))
scores = st.floats(0, 100)


@st.composite
def points(draw: st.DrawFn) -> list[Point]:
    pairs = draw(st.lists(st.tuples(costs, scores), max_size=12))
    return [Point(n, f"method-{n}" * (n % 4 + 1), x, y) for n, (x, y) in enumerate(pairs, start=1)]


@given(points())
@example([Point(1, "one", 5.0, 50.0)])
@example([Point(1, "one", 0.0, 50.0), Point(2, "two", 5.0, 50.0)])
@example([Point(n, "same", 7.0, 50.0) for n in range(1, 6)])
@example([Point(1, "one", 1.0000000000000002e-06, 0.0), Point(2, "two", 1e-06, 0.0)])
def test_points_ticks_and_labels_stand_in_the_picture(found: list[Point]) -> None:
    picture = draw_costs("p", "title", "cost", found, "")
    if not any(p.x for p in found):
        assert not picture.marks
        return
    assert {mark.number for mark in picture.marks} == {p.number for p in found}
    for mark in picture.marks:
        assert LEFT <= mark.x <= RIGHT
        assert TOP - 0.1 <= mark.y <= BOTTOM + 0.1
    for ticks, low, high in ((picture.x_ticks, LEFT, RIGHT), (picture.y_ticks, TOP, BOTTOM)):
        assert len(ticks) <= 8
        assert all(low - 0.1 <= place <= high + 0.1 for place, _ in ticks)
        assert len({text for _, text in ticks}) == len(ticks)
    order = {p.number: p.x for p in found}
    by_cost = sorted(picture.marks, key=lambda mark: (mark.x, order[mark.number]))
    assert [order[mark.number] for mark in by_cost] == sorted(order.values())
    boxes = []
    for mark in picture.marks:
        if mark.label:
            width = 6.6 * len(mark.label)
            left = mark.label_x - {"start": 0, "end": width, "middle": width / 2}[mark.anchor]
            boxes.append((left, mark.label_y - 11, left + width, mark.label_y + 3))
    for a, b in combinations(boxes, 2):
        assert a[2] <= b[0] + 0.1 or b[2] <= a[0] + 0.1 or a[3] <= b[1] + 0.1 or b[3] <= a[1] + 0.1


@given(points())
def test_no_point_is_both_better_and_cheaper_than_one_of_the_edge(found: list[Point]) -> None:
    edge = find_edge(found)
    for one in found:
        beaten = any((p.x <= one.x and p.y > one.y) or (p.x < one.x and p.y >= one.y) for p in found)
        alike = any((p.x, p.y) == (one.x, one.y) for p in edge)
        assert beaten != alike


@given(st.lists(st.lists(st.floats(-1e9, 1e9), max_size=20), max_size=12))
@example([[1.0, 1.0]])
@example([[]])
def test_courses_stay_in_the_picture_and_the_table_has_all(values: list[list[float]]) -> None:
    courses = [(f"run {n}", list(enumerate(each, start=1))) for n, each in enumerate(values)]
    picture = draw_courses("c", "title", "F1", courses)
    drawn = [each for each in values if each]
    assert len(picture.lines) == min(MOST_LINES, len(drawn))
    assert len(picture.view.table.rows) == sum(map(len, values))
    for line, each in zip(picture.lines, drawn, strict=False):
        places = [tuple(map(float, pair.split())) for pair in re.split("[ML]", line.path)[1:]]
        assert len(places) == len(each)
        assert all(LEFT <= x <= RIGHT and TOP - 0.1 <= y <= BOTTOM + 0.1 for x, y in places)
