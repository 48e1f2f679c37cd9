"""Where things stand in a picture: scores against what they cost, and courses of learning. The templates draw them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..foreign import show_line
from ..reporting import Column, Fixed, Measure, Table, write_number
from .views import View

WIDTH, HEIGHT = 480, 320
LEFT, RIGHT, TOP, BOTTOM = 48, 464, 16, 264
MOST_LINES = 8
"""Lines in one picture; a reader can follow no more."""
_LONGEST = 24  # characters of a label
_LETTER, _LINE = 6.6, 14  # how wide a letter of a label is at most, and how high a line


@dataclass(frozen=True)
class Point:
    """A thing that has a score `y` and a cost `x`: under its `number`, and its name."""

    number: int
    name: str
    x: float
    y: float


@dataclass(frozen=True)
class Mark:
    """A point in its place; `best` where none is both cheaper and better. A label that has no room is left out."""

    number: int
    x: float
    y: float
    best: bool
    label: str = ""
    label_x: float = 0
    label_y: float = 0
    anchor: str = "start"


@dataclass(frozen=True)
class Line:
    """A course: the points of its path, whether it is dashed, and its label at the end."""

    look: int
    path: str
    label: str


@dataclass(frozen=True)
class Picture:
    """A picture and everything that is said of it: `said` is what it shows in words, `view` the numbers behind it."""

    id: str
    title: str
    x_label: str
    y_label: str
    said: str
    view: View
    marks: Sequence[Mark] = ()
    lines: Sequence[Line] = ()
    edge: str = ""
    x_ticks: Sequence[tuple[float, str]] = ()
    y_ticks: Sequence[tuple[float, str]] = ()
    width: int = WIDTH
    height: int = HEIGHT
    frame: tuple[int, int, int, int] = (LEFT, RIGHT, TOP, BOTTOM)


def draw_costs(name: str, title: str, x_label: str, points: Sequence[Point], left_out: str) -> Picture:
    """F1 against a cost on a logarithmic axis, where nothing has a place of its own; with the edge beyond which no
    point lies.
    """
    edge = find_edge(points)
    x_place, x_ticks = _scale_costs([p.x for p in points])
    y_place, y_ticks = _scale([p.y for p in points], BOTTOM, TOP)
    marks = sorted(_place_labels(points, {p.number for p in edge}, x_place, y_place), key=lambda mark: mark.best)
    corners = [(x_place(p.x), y_place(p.y)) for p in edge]
    path = "".join(f"M{x:.1f} {y:.1f}" if n == 0 else f"H{x:.1f}V{y:.1f}" for n, (x, y) in enumerate(corners)) + (
        f"H{RIGHT}" if corners else ""
    )
    named = "; ".join(f"{p.name} (F1 {p.y:.2f}, {_round(p.x)})" for p in edge)
    said = f"None is both better and cheaper than: {named}."
    if not any(p.x for p in points):
        marks, path = [], ""
        said = "No row here cost any." if points else "There is nothing to draw."
    columns = [
        Column[Point]("#", "right", lambda p: p.number),
        Column[Point]("Method", "left", lambda p: p.name),
        Column[Point](x_label, "right", lambda p: Measure(p.x)),
        Column[Point]("F1", "right", lambda p: Fixed(p.y, 2)),
        Column[Point]("None better and cheaper", "left", lambda p: "yes" if p in edge else "no"),
    ]
    said = " ".join(filter(None, (said, left_out)))
    view = View(f"{name}-numbers", Table(f"{title}: the numbers", columns, points))
    return Picture(name, title, x_label, "F1", said, view, marks, (), path, x_ticks, y_ticks)


def find_edge(points: Iterable[Point]) -> list[Point]:
    """The points than which none is both cheaper and better, the cheapest first."""
    edge: list[Point] = []
    for point in sorted(points, key=lambda p: (p.x, -p.y, p.number)):
        if not edge or point.y > edge[-1].y:
            edge.append(point)
    return edge


def draw_courses(
    name: str, title: str, y_label: str, courses: Sequence[tuple[str, Sequence[tuple[int, float]]]]
) -> Picture:
    """Numbers by epoch, a line each; the first `MOST_LINES` are drawn, and the table has all."""
    drawn = [(label, points) for label, points in courses if points][:MOST_LINES]
    epochs = [epoch for _, points in drawn for epoch, _ in points]
    x_place, x_ticks = _scale([*map(float, epochs)], LEFT + 8, RIGHT - 8, whole=True)
    y_place, y_ticks = _scale([value for _, points in drawn for _, value in points], BOTTOM, TOP)
    lines = [
        Line(
            look,
            "".join(
                f"{'ML'[n > 0]}{x_place(epoch):.1f} {y_place(value):.1f}" for n, (epoch, value) in enumerate(points)
            ),
            label,
        )
        for look, (label, points) in enumerate(drawn)
    ]
    said = "; ".join(
        f"{label}: {write_number(first)} in epoch {begin}, {write_number(last)} in {end}"
        for label, points in drawn
        for (begin, first), (end, last) in [(points[0], points[-1])]
    )
    if len(courses) > len(drawn):
        said += f"; {len(courses) - len(drawn)} more in the table"
    rows = [(label, epoch, value) for label, points in courses for epoch, value in points]
    columns = [
        Column[tuple[str, int, float]]("Run", "left", lambda row: row[0]),
        Column[tuple[str, int, float]]("Epoch", "right", lambda row: row[1]),
        Column[tuple[str, int, float]](y_label, "right", lambda row: Measure(row[2])),
    ]
    view = View(f"{name}-numbers", Table(f"{title}: the numbers", columns, rows), head="Run")
    return Picture(name, title, "epoch", y_label, f"{said}.", view, (), lines, "", x_ticks, y_ticks)


def _scale(
    values: Sequence[float], start: int, end: int, *, whole: bool = False
) -> tuple[Callable[[float], float], list[tuple[float, str]]]:
    """Places between two ends for values, and round ones among them."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if high - low < 1e-9:
        low, high = low - 1, high + 1
    step = 10 ** math.floor(math.log10((high - low) / 4))
    step *= next(by for by in (1, 2, 5, 10) if (high - low) / (step * by) <= 5)
    if whole:
        step = max(1, round(step))
    else:
        low, high = math.floor(low / step) * step, math.ceil(high / step) * step

    def place(value: float) -> float:
        return start + (end - start) * (value - low) / (high - low)

    ticks = [n * step for n in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    return place, [(place(tick), f"{tick:.10g}") for tick in ticks]


def _scale_costs(values: Sequence[float]) -> tuple[Callable[[float], float], list[tuple[float, str]]]:
    """Places of costs by their logarithm; what costs nothing stands apart on the left."""
    paid = [value for value in values if value > 0]
    free = len(paid) < len(values)
    start = LEFT + (56 if free and paid else 16)
    low, high = (math.log10(min(paid)), math.log10(max(paid))) if paid else (0.0, 0.0)
    if high - low < 0.3:
        low, high = low - 0.2, high + 0.2

    def place(value: float) -> float:
        if value <= 0:
            return LEFT + 16.0 if paid else (LEFT + RIGHT) / 2
        return start + (RIGHT - 16 - start) * (math.log10(value) - low) / (high - low)

    inside = _choose_ticks(low, high) if paid else []
    ticks = [*([0.0] if free else []), *inside]
    return place, [(place(tick), _round(tick)) for tick in ticks]


def _choose_ticks(low: float, high: float) -> list[float]:
    """At most six round numbers between two powers of ten, as many as there can be."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    found: list[float] = []
    for steps in ((1, 2, 3, 4, 5, 6, 8), (1, 2, 5), (1, 3), (1,)):
        every = (by * 10.0**power for power in powers for by in steps)
        found = [tick for tick in every if low - 1e-9 <= math.log10(tick) <= high + 1e-9]
        if len(found) <= 6:
            return found
    return found[:: len(found) // 6 + 1]


def _round(value: float) -> str:
    """A number in three digits and the letter of its size."""
    size, sign = next(
        ((10.0**power, sign) for power, sign in ((9, "G"), (6, "M"), (3, "k")) if value >= 10**power), (1, "")
    )
    return f"{value / size:.3g}{sign}"


def _place_labels(
    points: Sequence[Point], best: set[int], x_place: Callable[[float], float], y_place: Callable[[float], float]
) -> Iterator[Mark]:
    """Each point with its name beside it, where that covers no other point and no other name; the best first."""
    spots = [(x_place(p.x), y_place(p.y)) for p in points]
    taken = [(x - 10, y - 10, x + 10, y + 10) for x, y in spots]
    order = sorted(zip(points, spots, strict=True), key=lambda item: (item[0].number not in best, item[0].number))
    for point, (x, y) in order:
        name = show_line(point.name)
        label = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
        width = _LETTER * len(label)
        mark = Mark(point.number, x, y, point.number in best)
        for dx, dy, anchor in ((14, 4, "start"), (-14, 4, "end"), (0, -15, "middle"), (0, 23, "middle")):
            left = x + dx - {"start": 0, "end": width, "middle": width / 2}[anchor]
            box = (left, y + dy - _LINE + 3, left + width, y + dy + 3)
            inside = box[0] >= LEFT and box[2] <= WIDTH and box[3] <= BOTTOM and box[1] >= 0
            if inside and not any(_overlap(box, other) for other in taken if other != (x - 10, y - 10, x + 10, y + 10)):
                taken.append(box)
                mark = replace(mark, label=label, label_x=x + dx, label_y=y + dy, anchor=anchor)
                break
        yield mark


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
