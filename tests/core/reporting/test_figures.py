"""Pictures: the numbers behind them to the byte, files that are small and always the same, nothing mixed."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cdner_bench.errors import PluginError
from cdner_bench.reporting import figures
from samples import BARS, POINTS, measured

FOUND = [measured(c, d) for d in ("music", "ai") for c in ("gtok+100", "gtok", "gtok+50")]


def test_the_numbers_behind_a_picture() -> None:
    points, bars = figures.make_pictures(
        [measured("gtok", "music"), measured("dapt", "ai", None), measured("gtok", "ai", 1)]
    )
    assert (points.name, bars.name) == ("mini-uid-uid-by-length", "mini-uid-uid-variance")
    assert points.csv == (
        "domain,corpus,seed,length,uid\n"
        "ai,dapt,0,3,0.333333\nai,dapt,0,12,2\n"
        "ai,gtok,0,3,0.333333\nai,gtok,0,12,2\n"
        "music,gtok,0,3,0.333333\nmusic,gtok,0,12,2\n"
    )
    assert bars.csv == (
        "domain,corpus,seed,variance,variance_low,variance_high\n"
        "ai,dapt,0,,,\nai,gtok,0,1,0.05,0.15\nmusic,gtok,0,0.1,0.05,0.15\n"
    )


def test_corpora_and_domains_are_in_reading_order() -> None:
    points, _ = figures.make_pictures(FOUND)
    assert points.domains == ["ai", "music"]
    assert points.corpora == ["gtok", "gtok+50", "gtok+100"]


def test_options_are_never_mixed_and_of_seeds_the_lowest_is_shown() -> None:
    rows = [measured("gtok", "ai", 0.1), measured("gtok", "ai", 0.2, seed=1), measured("gtok", "ai", 0.3, unit="line")]
    names = {picture.name: picture for picture in figures.make_pictures(rows)}
    assert sorted(names) == sorted(
        f"mini-uid-{plot.name}-{row.analysis.row}" for plot in (POINTS, BARS) for row in (rows[0], rows[2])
    )
    picture = names[f"mini-uid-uid-variance-{rows[0].analysis.row}"]
    assert [m.seed for m in picture.shown] == [0]


def test_measurements_without_the_columns_of_a_plot_are_not_in_it() -> None:
    bare = replace(FOUND[0], measurement=replace(FOUND[0].measurement, columns={}))
    assert [picture.plot for picture in figures.make_pictures([bare])] == [BARS]
    assert [picture.plot for picture in figures.make_pictures([measured("gtok", "ai", None)])] == [POINTS]


def test_files_are_drawn_once_and_always_the_same(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    paths = figures.draw(FOUND, tmp_path / "a")
    assert sorted(p.name for p in paths) == sorted(
        f"mini-uid-{plot}.{kind}" for plot in ("uid-by-length", "uid-variance") for kind in ("svg", "png", "csv")
    )
    again = figures.draw(list(reversed(FOUND)), tmp_path / "b")
    assert [p.read_bytes() for p in paths] == [p.read_bytes() for p in again]
    assert (tmp_path / "a" / "mini-uid-uid-variance.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (tmp_path / "a" / "mini-uid-uid-variance.svg").read_bytes()


def test_a_picture_knows_whether_it_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    figures.draw(FOUND, tmp_path)
    points, bars = figures.make_pictures(FOUND)
    assert points.is_drawn(tmp_path)
    assert bars.is_drawn(tmp_path)
    changed = figures.make_pictures([measured(m.corpus.name, m.corpus.domain, 0.2) for m in FOUND])
    assert [picture.is_drawn(tmp_path) for picture in changed] == [True, False]
    (tmp_path / "mini-uid-uid-by-length.png").unlink()
    assert not points.is_drawn(tmp_path)


def test_thousands_of_points_are_no_megabytes(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    draw = random.Random(0)
    columns = {"length": [draw.gauss(50, 9) for _ in range(5000)], "uid": [draw.gauss(4, 1) for _ in range(5000)]}
    many = [replace(m, measurement=replace(m.measurement, columns=columns)) for m in FOUND]
    sizes = {path.suffix: path.stat().st_size for path in figures.draw(many, tmp_path) if "by-length" in path.name}
    assert sizes[".svg"] < 1_000_000
    assert sizes[".png"] < 1_000_000


def test_any_name_and_any_number_of_corpora_can_be_drawn(tmp_path: Path) -> None:
    """Warnings are errors here: text that does not fit, or a name read as mathematics, would be one."""
    pytest.importorskip("matplotlib")
    odd = [measured(f"{start}{'long name ' * 5}.txt", None) for start in ("$x_1$", "_", "%", "\\", *map(str, range(9)))]
    figures.draw(odd, tmp_path / "odd")
    figures.draw([measured("gtok", f"domain {n} of {'x' * 40}") for n in range(12)], tmp_path / "many")
    figures.draw([measured("gtok", "ai", None), measured("gtok", "music")], tmp_path / "hole")


def test_drawing_leaves_the_user_s_settings_alone(tmp_path: Path) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    before = dict(matplotlib.rcParams)
    figures.draw(FOUND[:1], tmp_path)
    assert dict(matplotlib.rcParams) == before


def test_without_matplotlib_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(PluginError, match="matplotlib") as caught:
        figures.draw(FOUND, tmp_path)
    assert caught.value.hint == "pip install 'cdner-bench[density]'"
    assert not list(tmp_path.iterdir())
