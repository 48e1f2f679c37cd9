from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cdner_bench.data import SPLITS, Benchmark, benchmark
from cdner_bench.errors import CdnerError, DataError, OptionError
from cdner_bench.io import sha256

LINES = "Ada\tB-judge\nruled\tO\n\n"


@pytest.fixture
def legal(tmp_path: Path) -> Path:
    """A user's own domain: three files and a TOML file, no code."""
    for split in SPLITS:
        (tmp_path / f"{split}.txt").write_text(LINES.replace("Ada", f"Ada{split}"))
    path = tmp_path / "legal.toml"
    path.write_text(
        'name = "legal"\nextends = "mini"\n'
        '[domains.contracts]\ntrain = "train.txt"\ndev = "dev.txt"\ntest = "test.txt"\n'
        '[settings.single]\nsources = ["news"]\ntargets = ["contracts"]\n'
    )
    return path


def test_table_8(crossner: Benchmark) -> None:
    """Tokens and entity types, as the paper prints them; the loader asserts the rest."""
    tokens = {
        name: tuple(sum(len(s.tokens) for s in getattr(crossner.corpus(name), split)) for split in SPLITS)
        for name in crossner.domains
    }
    assert tokens == {
        "conll2003": (203621, 51362, 46435),
        "ai": (3782, 10919, 12991),
        "literature": (3782, 14503, 16157),
        "music": (3909, 15591, 19605),
        "politics": (8384, 24624, 27585),
        "science": (7100, 16139, 19487),
    }
    assert [len(crossner.corpus(name).types) for name in crossner.domains] == [4, 14, 12, 13, 9, 17]
    assert [len(getattr(crossner.corpus("conll2003"), split)) for split in SPLITS] == [14041, 3250, 3453]


def test_settings(mini: Benchmark) -> None:
    single, multi = mini.list_scenarios("single", ["music"]), mini.list_scenarios("multi")
    assert [(s.sources, s.target) for s in single] == [(("news",), "music")]
    assert [s.target for s in multi] == ["ai", "literature", "music", "politics", "science"]
    assert multi[0].sources == ("news", "literature", "music", "politics", "science")


def test_the_fingerprint_covers_what_a_run_sees(mini: Benchmark) -> None:
    ai, music = (mini.list_scenarios("single", [t])[0] for t in ("ai", "music"))
    assert mini.fingerprint(ai) == mini.fingerprint(ai)
    assert mini.fingerprint(ai) != mini.fingerprint(music)
    assert mini.fingerprint(ai) != mini.fingerprint(ai, ["dapt"])


def test_a_user_domain_needs_no_code(legal: Path) -> None:
    found = benchmark.load(str(legal))
    assert found.corpus("contracts").types == ("judge",)
    assert found.list_scenarios("single")[0].sources == ("news",)
    assert found.corpus("news").train
    assert found.preset == "quick"


def test_an_empty_split_is_refused(legal: Path) -> None:
    (legal.parent / "dev.txt").write_text("\n")
    with pytest.raises(DataError, match=r"dev\.txt has no sentences"):
        benchmark.load(str(legal)).corpus("contracts")


def test_declared_types_and_deduplication_are_part_of_the_fingerprint(legal: Path) -> None:
    text = legal.read_text()
    found = set()
    for change in ("", 'types = ["judge", "law"]\n', 'types = ["law", "judge"]\n'):
        legal.write_text(text.replace("[settings", f"{change}[settings"))
        one = benchmark.load(str(legal))
        found.add(one.fingerprint(one.list_scenarios("single")[0]))
    legal.write_text(f"deduplicate = true\n{text}")
    one = benchmark.load(str(legal))
    found.add(one.fingerprint(one.list_scenarios("single")[0]))
    assert len(found) == 4


def test_a_changed_file_is_another_benchmark(legal: Path) -> None:
    before = benchmark.load(str(legal)).fingerprint(benchmark.load(str(legal)).list_scenarios("single")[0])
    (legal.parent / "train.txt").write_text(LINES * 2)
    found = benchmark.load(str(legal))
    assert found.fingerprint(found.list_scenarios("single")[0]) != before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("test.txt", "gone.txt"), r"there is no file .*gone\.txt"),
        (('test = "test.txt"', ""), r"legal\.toml: domains\.contracts\.test is missing"),
        (('train = "train.txt"', "train = 3"), r"domains\.contracts\.train cannot be 3"),
        (
            ('train = "train.txt"', 'train = { pth = "train.txt" }'),
            r"unknown key domains\.contracts\.train\.pth",
        ),
        (('["contracts"]', '["contract"]'), r"settings\.single names 'contract'"),
        (('["contracts"]', '["contracts", "contracts"]'), r"settings\.single\.targets names 'contracts' twice"),
        (('["news"]', '["news", "news"]'), r"settings\.single\.sources names 'news' twice"),
        (("[settings.single]", "[setings.single]"), "unknown key setings"),
        (('name = "legal"', 'name = "legal'), "is not TOML"),
        (('extends = "mini"', 'extends = "minni"'), "unknown benchmark 'minni'"),
        (
            ('"train.txt"', '{ path = "train.txt", sentences = 7 }'),
            r"train\.txt has 1 sentences, declared are 7",
        ),
        (
            ('"train.txt"', '{ path = "train.txt", sha256 = "00" }'),
            r"train\.txt is not the file that was pinned: SHA-256",
        ),
        (
            ("[settings.single]", 'types = ["lawyer"]\n[settings.single]'),
            r"train\.txt:1: unknown entity type 'judge'",
        ),
    ],
)
def test_a_broken_benchmark_says_what_is_wrong(legal: Path, change: tuple[str, str], message: str) -> None:
    legal.write_text(legal.read_text().replace(*change))
    with pytest.raises(CdnerError, match=message):
        benchmark.load(str(legal)).corpus("contracts")


def test_labels_beside_their_text_are_two_files(legal: Path) -> None:
    """The data are others where the text is another, and a pin on the labels alone is refused."""
    text, labels = (legal.parent / f"test.{suffix}" for suffix in ("txt", "ann"))
    text.write_text("Ada ruled\n")
    labels.write_text("T1\tjudge 0 3\tAda\n")
    legal.write_text(legal.read_text().replace('"test.txt"', '"test.ann"'))

    def fingerprint() -> str:
        data = benchmark.load(str(legal))
        return data.fingerprint(data.list_scenarios("single")[0])

    before = fingerprint()
    assert fingerprint() == before
    text.write_text("Ada wrote\n")
    assert fingerprint() != before
    pinned = f'{{ path = "test.ann", sha256 = "{sha256(labels)}" }}'
    legal.write_text(legal.read_text().replace('"test.ann"', pinned))
    with pytest.raises(DataError, match=r"test\.txt, which it is about, is not") as caught:
        fingerprint()
    assert (
        caught.value.hint
        == f"leave sha256 out, or pin one file: cdner-bench data convert {labels} --to jsonl --out test.jsonl"
    )


@pytest.mark.parametrize(
    ("change", "unknown", "meant"),
    [
        (("name =", "nmae ="), "nmae", "name"),
        (("extends =", "extend ="), "extend", "extends"),
        (("[domains.contracts]", "[domain.contracts]"), "domain", "domains"),
        (("[settings.single]", "[setting.single]"), "setting", "settings"),
        (("train =", "trian ="), "domains.contracts.trian", "train"),
        (("dev =", "dve ="), "domains.contracts.dve", "dev"),
        (("[settings", 'type = ["judge"]\n[settings'), "domains.contracts.type", "types"),
        (("[settings", "lables = {}\n[settings"), "domains.contracts.lables", "labels"),
        (('"train.txt"', '{ pth = "train.txt" }'), "domains.contracts.train.pth", "path"),
        (('"train.txt"', '{ path = "train.txt", sha = "0" }'), "domains.contracts.train.sha", "sha256"),
        (('"train.txt"', '{ path = "train.txt", sentence = 1 }'), "domains.contracts.train.sentence", "sentences"),
        (("sources =", "source ="), "settings.single.source", "sources"),
        (("targets =", "target ="), "settings.single.target", "targets"),
    ],
)
def test_a_misspelt_key_is_named_with_the_right_one(
    legal: Path, change: tuple[str, str], unknown: str, meant: str
) -> None:
    legal.write_text(legal.read_text().replace(*change))
    with pytest.raises(DataError, match=f"unknown key {unknown}$") as caught:
        benchmark.load(str(legal))
    assert caught.value.hint == f"did you mean {meant!r}?"


@pytest.mark.parametrize("rows", ["[2]", '["model"]', "[[2]]", "{}", '"model"'])
def test_rows_of_a_board_are_lists_of_options(legal: Path, rows: str) -> None:
    legal.write_text(legal.read_text() + f"[board]\ngpt4 = {rows}\n")
    with pytest.raises(DataError, match=r"board\.gpt4 is a list of lists of options"):
        benchmark.load(str(legal))
    legal.write_text(legal.read_text().replace(f"gpt4 = {rows}", 'gpt4 = [["model"], ["model", "shots"]]'))
    read = benchmark.load(str(legal))
    assert [read.has_on_board("gpt4", own) for own in ((), ["shots", "model"], ["shots"])] == [True, True, False]
    assert not read.has_on_board("topt", ["model"])


ONE = """name = "x"
[domains.a]
train = "train.txt"
dev = "dev.txt"
test = "test.txt"
"""
TWO = ONE + ONE.partition("\n")[2].replace("domains.a", "domains.b")
ON_MINI = 'extends = "mini"\n'
MINI = ("news", "ai", "literature", "music", "politics", "science")


@pytest.mark.parametrize(
    ("text", "single", "multi"),
    [
        (ONE, [((), "a")], [((), "a")]),
        (TWO, [(("a",), "b")], [(("a",), "b")]),
        (ON_MINI + ONE, [(("news",), "a")], [(MINI, "a")]),
        (ON_MINI + TWO, [(("news",), "a"), (("news",), "b")], [((*MINI, "b"), "a"), ((*MINI, "a"), "b")]),
        # What is written stands, and says what the targets are.
        (
            f'{ON_MINI}{TWO}[settings.single]\nsources = ["ai"]\ntargets = ["b"]\n',
            [(("ai",), "b")],
            [((*MINI, "a"), "b")],
        ),
    ],
)
def test_single_and_multi_need_not_be_written(
    legal: Path, text: str, single: list[object], multi: list[object]
) -> None:
    legal.write_text(text)
    found = benchmark.load(str(legal))
    assert [[(s.sources, s.target) for s in found.list_scenarios(name)] for name in ("single", "multi")] == [
        single,
        multi,
    ]


def test_a_file_without_domains_of_its_own_has_the_settings_of_its_base(legal: Path, mini: Benchmark) -> None:
    legal.write_text(f'name = "x"\n{ON_MINI}')
    assert benchmark.load(str(legal)).settings == mini.settings


@pytest.mark.parametrize(
    "ask",
    [
        lambda b: b.setting("x"),
        lambda b: b.domain("x"),
        lambda b: b.list_scenarios("single", ["x"]),
    ],
)
def test_messages_name_the_file_of_a_benchmark(legal: Path, ask: Callable[[Benchmark], object]) -> None:
    with pytest.raises(OptionError, match=f"^{legal} has no"):
        ask(benchmark.load(str(legal)))


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (("test.txt", "gone.txt"), "put it there, or correct its path in the benchmark file"),
        (
            ('"test.txt"', '{ path = "test.txt", sha256 = "00" }'),
            "bring back the file as it was, or correct its sha256 in the benchmark file",
        ),
    ],
)
def test_what_is_one_s_own_is_never_to_be_fetched(legal: Path, change: tuple[str, str], hint: str) -> None:
    legal.write_text(legal.read_text().replace(*change))
    with pytest.raises(DataError) as caught:
        benchmark.load(str(legal)).corpus("contracts")
    assert caught.value.hint == hint


def test_the_deduplicated_variant_trains_on_no_test_sentence(crossner: Benchmark) -> None:
    variant = benchmark.load("crossner-dedup")
    targets = crossner.setting("single").targets
    tested = {s.tokens for name in targets for s in crossner.corpus(name).test}
    for name in variant.domains:
        kept, official = variant.corpus(name), crossner.corpus(name)
        assert not tested & {s.tokens for s in (*kept.train, *kept.dev)}
        assert kept.test == official.test
    dropped = {name: len(crossner.corpus(name).train) - len(variant.corpus(name).train) for name in targets}
    assert dropped == {"ai": 0, "literature": 0, "music": 6, "politics": 1, "science": 1}


@pytest.mark.parametrize(
    ("ask", "hint"),
    [
        (lambda b: b.list_scenarios("singel"), "did you mean 'single'?"),
        (lambda b: b.list_scenarios("single", ["musik"]), "did you mean 'music'?"),
        (lambda b: b.corpus("newz"), "did you mean 'news'?"),
        (lambda b: benchmark.load("crossnr"), "did you mean 'crossner'?, or name a .toml file"),
    ],
)
def test_misspelt_names_get_a_suggestion(mini: Benchmark, ask: object, hint: str) -> None:
    with pytest.raises(OptionError) as caught:
        ask(mini)  # type: ignore[operator]
    assert caught.value.hint == hint


@pytest.mark.parametrize("damage", [lambda d: d[:-40], lambda d: d.replace(b"O", b"0", 1), lambda d: b""])
def test_altered_and_truncated_data_is_refused(
    damage: object, crossner: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in crossner.list_files():
        copy = tmp_path / file.path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.symlink_to(file.location)
    victim = tmp_path / "crossner" / "ai" / "dev.txt"
    data = victim.read_bytes()
    victim.unlink()
    victim.write_bytes(damage(data))  # type: ignore[operator]
    monkeypatch.setenv("CDNER_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"ai/dev\.txt is not the published file: SHA-256"):
        benchmark.load("crossner").corpus("ai")


def test_missing_data_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDNER_DATA", str(tmp_path))
    found = benchmark.load("crossner")
    assert not found.is_present()
    with pytest.raises(DataError) as caught:
        found.corpus("ai")
    assert "cdner-bench data fetch" in (caught.value.hint or "")
    assert benchmark.choose_default()[0].name == "mini"
    monkeypatch.setenv("CDNER_DATA", str(tmp_path / "misspelt"))
    with pytest.raises(DataError, match="misspelt, which is no folder"):
        benchmark.choose_default()
    monkeypatch.setenv("CDNER_DATA", str(tmp_path))
    part = found.domain("music").splits["dev"].location
    part.parent.mkdir(parents=True)
    part.touch()
    with pytest.raises(DataError, match=r"17 of CrossNER's 18 files are not here: .*conll2003/train\.txt") as told:
        benchmark.choose_default()
    assert told.value.hint == "type: cdner-bench data fetch, or name the benchmark that you mean: --benchmark mini"


def test_the_name_of_a_shipped_benchmark_is_no_other_s(legal: Path) -> None:
    """Its results would stand among those of the shipped one, and its page would take that one's place."""
    legal.write_text(re.sub('name = ".*"', 'name = "mini"', legal.read_text(), count=1))
    with pytest.raises(DataError, match="mini is the name of a shipped benchmark"):
        benchmark.load(str(legal))


def test_since_when_test_sentences_are_public(legal: Path) -> None:
    """A benchmark that only cuts another's data has its date, one of other domains its own or none."""
    assert [benchmark.load(name).public for name in ("crossner", "crossner-dedup", "crossner-limit20")] == [
        "2020-12"
    ] * 3
    text = (
        legal.read_text().replace('extends = "mini"\n', 'extends = "crossner"\n').replace('["news"]', '["conll2003"]')
    )
    legal.write_text(text)
    assert benchmark.load(str(legal)).public == ""
    for month, right in {"2026-01": True, "2026-13": False, "2026": False, "2026-01-31": False}.items():
        legal.write_text(f'public = "{month}"\n{text}')
        if right:
            assert benchmark.load(str(legal)).public == month
        else:
            with pytest.raises(DataError, match=rf"legal.toml: public: '{month}' is no month"):
                benchmark.load(str(legal))
