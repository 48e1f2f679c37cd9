"""Pictures of measurements: the numbers as CSV, and drawn by matplotlib as SVG and PNG.

A picture is of one benchmark, analysis and row of options. It is as wide as a column of a paper, with 8-point type;
corpora are told apart by colour (Okabe and Ito's, which colour-blind readers can tell apart) and by marker or hatch.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import cycle
from pathlib import Path
from typing import Any

from ...errors import PluginError
from ...foreign import show_line
from ...hashing import digest
from ...io import write_atomic
from ...plugins import Number, Plot
from ...records import NO_BENCHMARK, Measured
from ..formats import write_lines

COLOURS = ("#0072B2", "#E69F00", "#56B4E9", "#D55E00", "#009E73", "#CC79A7", "#F0E442", "#000000")
# Markers and hatches are of other numbers than colours, so that pairs of them last long.
MARKERS = ("o", "^", "x", "s", "+", "v", "D", "*", "1")
HATCHES = ("", "////", "||||", "xxxx", "\\\\\\\\", "++++", "....")
SUFFIXES = ("svg", "png")
WIDTH = 3.3  # inches
DPI = 300
STYLE = {
    **dict.fromkeys(
        ["font.size", "axes.titlesize", "axes.labelsize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize"], 8
    ),
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.useoffset": False,
    "axes.formatter.limits": (-5, 6),
    "hatch.linewidth": 0.5,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "cdner-bench",
    "text.parse_math": False,
}
_LONGEST = 22  # characters of a name in a picture; the CSV has all of it


@dataclass(frozen=True)
class Picture:
    """A plot of measurements: at most one a domain and corpus."""

    name: str
    plot: Plot
    shown: Sequence[Measured]

    @property
    def title(self) -> str:
        """What the picture shows, in words."""
        return f"{self.plot.y_label} by {self.plot.x_label}" if self.plot.kind == "points" else self.plot.y_label

    @cached_property
    def domains(self) -> list[str]:
        """In the order of their panels or groups; "" is none."""
        return list(dict.fromkeys(m.corpus.domain or "" for m in self.shown))

    @cached_property
    def corpora(self) -> list[str]:
        """In the order of their colours."""
        return sorted({m.corpus.name for m in self.shown}, key=natural)

    @cached_property
    def csv(self) -> str:
        """The numbers behind it, points to six significant digits."""
        plot = self.plot
        values = [plot.x, plot.y] if plot.kind == "points" else [plot.y, f"{plot.y}_low", f"{plot.y}_high"]
        rows: list[list[object]] = [["domain", "corpus", "seed", *values]]
        for m in self.shown:
            where = [m.corpus.domain or "", m.corpus.name, m.seed]
            for row in zip(*_points(m, plot), strict=True) if plot.kind == "points" else [_bar(m, plot)]:
                shown = [f"{v:.6g}" for v in row] if plot.kind == "points" else row
                rows.append([*where, *shown])
        return write_lines(rows)

    @cached_property
    def stamp(self) -> str:
        """A hash of what it shows, which its files carry."""
        return digest([asdict(self.plot), self.csv])

    def is_drawn(self, folder: Path) -> bool:
        """Whether its SVG and PNG are there and show these numbers. Needs no matplotlib."""
        paths = [folder / f"{self.name}.{suffix}" for suffix in SUFFIXES]
        return all(path.is_file() and self.stamp.encode() in path.read_bytes() for path in paths)

    def save(self, folder: Path) -> list[Path]:
        """Write SVG, PNG and CSV: for one version of matplotlib, always the same bytes.

        Raises `PluginError` without matplotlib.
        """
        try:
            import matplotlib.style
        except ImportError:
            raise PluginError("pictures need matplotlib", hint="pip install 'cdner-bench[density]'") from None
        paths = [folder / f"{self.name}.{suffix}" for suffix in (*SUFFIXES, "csv")]
        with matplotlib.style.context(["default", STYLE]):
            figure = _grid(self) if self.plot.kind == "points" else _bars(self)
            for path, date in zip(paths, ({"Date": None}, {}), strict=False):
                stream = io.BytesIO()
                metadata = {"Description": self.stamp, **date}
                figure.savefig(stream, format=path.suffix[1:], dpi=DPI, metadata=metadata)
                write_atomic(path, stream.getvalue())
        write_atomic(paths[-1], self.csv)
        return paths


def draw(measured: Sequence[Measured], folder: Path) -> list[Path]:
    """Draw every picture of the measurements. Raises `PluginError` without matplotlib."""
    return [path for picture in make_pictures(measured) for path in picture.save(folder)]


def make_pictures(measured: Sequence[Measured]) -> list[Picture]:
    """One a benchmark, analysis, row of options and plot. Of several seeds the lowest is shown.

    The row is part of the name where there are several.
    """
    grouped: dict[tuple[str, ...], dict[str, dict[tuple[str, str], tuple[Plot, Measured]]]] = {}
    for m in sorted(measured, key=lambda m: (m.corpus.benchmark or "", m.analysis.name, *reading_order(m))):
        for plot in m.measurement.plots:
            if plot.kind == "points" and not {plot.x, plot.y} <= m.measurement.columns.keys():
                continue
            rows = grouped.setdefault((m.corpus.benchmark or NO_BENCHMARK, m.analysis.name, plot.name), {})
            rows.setdefault(m.analysis.row, {}).setdefault((m.corpus.domain or "", m.corpus.name), (plot, m))
    made = []
    for words, rows in grouped.items():
        for row in sorted(rows):
            name = "-".join([*words, *([row] if len(rows) > 1 else [])])
            shown = [m for _, m in rows[row].values()]
            plot, _ = next(iter(rows[row].values()))
            if plot.kind == "points" or any(_bar(m, plot)[0] is not None for m in shown):
                made.append(Picture(re.sub(r"[^A-Za-z0-9_.-]", "_", name), plot, shown))
    return made


def reading_order(m: Measured) -> tuple[Any, ...]:
    """By domain, corpus (gtok+50 before gtok+100) and seed."""
    return (m.corpus.domain or "", natural(m.corpus.name), m.seed, m.analysis.row)


def natural(name: str) -> list[tuple[int, str]]:
    """A key that orders the numbers in names by value."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _points(m: Measured, plot: Plot) -> tuple[Sequence[float], Sequence[float]]:
    return m.measurement.columns[plot.x], m.measurement.columns[plot.y]


def _bar(m: Measured, plot: Plot) -> tuple[Number, Number, Number]:
    """The number, and the ends of its interval."""
    interval = m.measurement.intervals.get(plot.y)
    low, high = (interval.low, interval.high) if interval else (None, None)
    return m.measurement.numbers.get(plot.y), low, high


# --- drawing ---------------------------------------------------------------------------------------------------------


def _grid(picture: Picture) -> Any:
    """A panel a domain. The points are pixels, in the SVG too, so that thousands of them are no megabytes."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    domains, plot = picture.domains, picture.plot
    columns = min(2, len(domains))
    rows = -(-len(domains) // columns)
    figure = Figure(figsize=(WIDTH, 0.5 + 1.25 * rows if columns > 1 else 2.4), layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).flatten()
    looks = dict(zip(picture.corpora, zip(cycle(COLOURS), cycle(MARKERS), strict=False), strict=False))
    hollow: dict[str, Any] = {"ls": "none", "markerfacecolor": "none"}
    for domain, axes in zip(domains, panels, strict=False):
        axes.set_title(_short(domain))
        axes.set_rasterization_zorder(0)
        drawn = [m for m in picture.shown if (m.corpus.domain or "") == domain]
        drawn.sort(key=lambda m: -len(m.measurement.columns[plot.y]))  # the fewest points on top
        for order, m in enumerate(drawn, start=-len(drawn)):
            colour, marker = looks[m.corpus.name]
            look = {"color": colour, "marker": marker, "markersize": 1.8, "markeredgewidth": 0.4, "alpha": 0.7}
            axes.plot(*_points(m, plot), zorder=order, **look, **hollow)
    figure.supxlabel(show_line(plot.x_label), fontsize=8)
    figure.supylabel(show_line(plot.y_label), fontsize=8)
    handles = [Line2D([], [], color=c, marker=m, markersize=4, **hollow) for c, m in looks.values()]
    _explain(figure, list(panels[len(domains) :]), handles, picture.corpora)
    return figure


def _bars(picture: Picture) -> Any:
    """A group a domain, a bar a corpus: lying, so that names of any length can be read."""
    from matplotlib.figure import Figure
    from matplotlib.patheffects import withStroke

    corpora, domains = picture.corpora, picture.domains
    step = 0.8 / len(corpora)
    figure = Figure(figsize=(WIDTH, 0.5 + len(domains) * (0.1 + 0.13 * len(corpora))), layout="constrained")
    axes = figure.subplots()
    bars = {(m.corpus.name, m.corpus.domain or ""): _bar(m, picture.plot) for m in picture.shown}
    handles, seen = [], [withStroke(linewidth=2, foreground="white")]
    for n, (corpus, colour, hatch) in enumerate(zip(corpora, cycle(COLOURS), cycle(HATCHES), strict=False)):
        places = [place - 0.4 + (n + 0.5) * step for place in range(len(domains))]
        drawn = [(place, *bars.get((corpus, d), (None,) * 3)) for place, d in zip(places, domains, strict=True)]
        tops = [(place, value) for place, value, _, _ in drawn if value is not None]
        look: dict[str, Any] = {"color": colour, "hatch": hatch, "edgecolor": "black", "linewidth": 0.5}
        handles.append(axes.barh([p for p, _ in tops], [v for _, v in tops], step, **look))
        # Not as error bars: a bootstrap interval need not hold the number.
        for place, _, low, high in drawn:
            if low is not None and high is not None:
                axes.hlines(place, low, high, "black", linewidths=0.8, path_effects=seen)
    axes.set_yticks(range(len(domains)), [_short(domain) for domain in domains])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(domains) - 0.5, -0.5)
    axes.set_xlabel(show_line(picture.plot.y_label))
    _explain(figure, (), handles, corpora)
    return figure


def _explain(figure: Any, spare: Sequence[Any], handles: Sequence[Any], corpora: Sequence[str]) -> None:
    """Name the corpora: in the first spare panel if there is one, else above all panels."""
    for axes in spare:
        axes.set_axis_off()
    labels = [_short(name) for name in corpora]
    if spare and len(labels) <= 8:
        spare[0].legend(handles, labels, loc="center")
        return
    across = max(1, 45 // (max(map(len, labels)) + 5))
    down = -(-len(labels) // across)
    figure.set_figheight(figure.get_figheight() + 0.17 * down)
    figure.legend(handles, labels, loc="outside upper center", ncols=-(-len(labels) // down))


def _short(name: str) -> str:
    """A name that fits. A leading underscore would hide it from the legend, and gets a space before it."""
    name = show_line(name)
    shown = name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
    return f" {shown}" if shown.startswith("_") else shown
