"""gliner2: tiny random checkpoints, saved and read by the package, give exact token spans, learn and are kept."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub.errors import GatedRepoError

torch = pytest.importorskip("torch")
pytest.importorskip("gliner2")

from cdner_bench import (  # noqa: E402
    CdnerError,
    Corpus,
    Cut,
    DataError,
    Doubt,
    Entity,
    Method,
    NotRunError,
    PluginError,
    Sentence,
    plugins,
)
from cdner_bench.data import Benchmark  # noqa: E402
from cdner_bench.plugins import conformance  # noqa: E402
from cdner_bench.running import runner  # noqa: E402
from cdner_gliner2 import checkpoint  # noqa: E402
from cdner_gliner2.method import Gliner2, Paced, Pupil, choose  # noqa: E402
from cdner_gliner2.names import name_types, put_into_words  # noqa: E402
from cdner_gliner2.reading import Reader  # noqa: E402
from cdner_torch import loop  # noqa: E402
from cdner_torch.compute import Compute  # noqa: E402
from support import Killer, KillerOfSeconds, Listener, context, fit_stubbornly  # noqa: E402

SMALL = {
    "network.precision": "fp32",
    "finetuning.transfer": "pretrain-finetune",
    "source.sentences": 8,
    "target.epochs": 1,
    "dev.sentences": 2,
}
ODD = (
    ("The", "U.S.", "İstanbul", "treaty", "(", "1923", ")"),
    ("機械", "学習", "\u200b", "и", "New York", "\u00a0", "!"),
    ("e.g", "…", "[E]", "[SEP_TEXT]", "-", "x@y.org", "http://a.b/c"),
    ("one",),
    (".",),
)
"""Tokens that a splitter of words would cut or join otherwise, and sentences without a full stop."""


def make(backbone: str, **chosen: object) -> Gliner2:
    spec = plugins.discover().get("gliner2").spec
    values = {name.replace("__", "."): value for name, value in chosen.items()}
    method = spec.load(Method)(spec.resolve(None, {**SMALL, "backbone": backbone, **values}))
    assert isinstance(method, Gliner2)
    return method


def cut(corpus: Corpus, size: int = 16) -> Corpus:
    return replace(corpus.without_test(), train=corpus.train[:size], dev=corpus.dev[:4])


@pytest.fixture(scope="module")
def networks(tiny_gliner2: str, tiny_boundary: str) -> dict[str, Any]:
    return {"span": checkpoint.load(Path(tiny_gliner2)), "boundary": checkpoint.load(Path(tiny_boundary))}


# --- words and spans --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tokens", ODD)
def test_every_span_of_any_tokens_comes_back(tokens: tuple[str, ...], networks: dict[str, Any]) -> None:
    network = networks["span"]
    spans = [(i, j) for i in range(len(tokens)) for j in range(i + 1, len(tokens) + 1)]
    for start, end in spans:
        sentence = Sentence("s", tokens, (Entity(start, end, "politicalparty"),))
        (stretch,) = Reader(network).read([sentence], {"political party": "politicalparty", "misc": "misc"})
        (there,) = stretch.schema["entities"]["political party"]
        assert stretch.place(there) == (start, end)
        assert there["text"] == " ".join(tokens[start:end]).replace("New York", "New\u00a0York")
        batch = network.processor.collate_fn_inference([(stretch.text, stretch.schema)], error_policy="raise")
        assert batch.structure_labels == [[[1, [[[(start, end - 1)], []]]]]]
        assert batch.input_ids.shape[1] <= len(stretch)


def test_a_span_with_the_added_full_stop_is_none(networks: dict[str, Any]) -> None:
    (stretch,) = Reader(networks["span"]).read([Sentence("s", ("in", "Rome"))], {"city": "city"})
    assert stretch.text == "in Rome ."
    assert [stretch.place({"start": s, "end": e}) for s, e in ((3, 7), (3, 9), (8, 9))] == [(1, 2), None, None]


def test_a_long_sentence_is_read_in_stretches_that_decide_each_token_once(networks: dict[str, Any]) -> None:
    entities = tuple(Entity(n, n + 2, "city") for n in range(0, 900, 5))
    long = Sentence("s", tuple("ab"[n % 2] for n in range(900)), entities)
    read = Reader(networks["span"]).read([long], {"city": "city"})
    assert [n for stretch in read for n in stretch.decides] == list(range(900))
    assert {e.start + stretch.start for stretch in read for e in stretch.gold} == {e.start for e in entities}
    assert max(map(len, read)) <= 256
    assert not any(stretch.cut for stretch in read)


@pytest.mark.parametrize("architecture", ["span", "boundary"])
def test_odd_and_long_sentences_are_answered(architecture: str, networks: dict[str, Any], tmp_path: Path) -> None:
    method = make("")
    method.network, method.named = networks[architecture], {"city": "city", "programming language": "programlang"}
    method.reader = Reader(method.network)
    asked = [Sentence(f"o/{n}", tokens) for n, tokens in enumerate((*ODD, ("-" * 700, "y"), ("ab",) * 600))]
    said = list(method.predict(asked, context(tmp_path)))
    assert [p.sentence_id for p in said] == [s.id for s in asked]
    assert [p.cut for p in said] == [()] * len(ODD) + [(Cut.PROMPT,), ()]
    assert sum(len(p.entities) for p in said) > 20
    for sentence, prediction in zip(asked, said, strict=True):
        ends = [0]
        for entity in prediction.entities:
            assert ends[-1] <= entity.start < entity.end <= len(sentence.tokens)
            ends.append(entity.end)
    assert any(e.start > 300 for e in said[-1].entities)


@pytest.mark.parametrize(
    ("found", "chosen"),
    [
        ([(0.6, (0, 3, "a")), (0.9, (1, 2, "b")), (0.7, (2, 4, "c"))], [(1, 2, "b"), (2, 4, "c")]),
        ([(0.6, (0, 1, "b")), (0.6, (0, 1, "a"))], [(0, 1, "a")]),
        ([(0.5, (3, 5, "a")), (0.5, (0, 4, "b"))], [(0, 4, "b")]),
        ([], []),
    ],
)
def test_of_overlapping_answers_the_most_probable_stays(found: list[Any], chosen: list[Any]) -> None:
    assert choose([(p, Entity(*e)) for p, e in found]) == tuple(Entity(*e) for e in chosen)


# --- names of types ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("programlang", "programming language"),
        ("political_party", "political party"),
        ("work-of-art", "work of art"),
        ("MusicalArtist", "Musical Artist"),
        ("GPE", "GPE"),
        ("[E]", "E"),
        ("person (living)", "person living"),
        ("人名", "人名"),
        ("C++", "C++"),
    ],
)
def test_types_are_put_into_words(kind: str, words: str) -> None:
    assert put_into_words(kind) == words
    assert name_types(Corpus("own", (kind, "misc"))) == {words: kind, "miscellaneous": "misc"}


@pytest.mark.parametrize("kind", ["…", "42", "_-_", "[]", " "])
def test_a_type_without_a_usable_name_is_named(kind: str) -> None:
    with pytest.raises(DataError, match="of own cannot be asked for: its name has no letter") as caught:
        name_types(Corpus("own", ("person", kind)))
    assert "[domains.own.labels]" in (caught.value.hint or "")


@pytest.mark.parametrize("kinds", [("political_party", "politicalparty"), ("a b", "a-b")])
def test_two_types_of_one_name_are_named(kinds: tuple[str, str]) -> None:
    with pytest.raises(DataError, match=r"cannot be asked for: it is '[a-z ]*' in words, and so is"):
        name_types(Corpus("own", kinds))


def test_names_that_leave_no_room(networks: dict[str, Any]) -> None:
    named = {f"{word} {word}": word for word in ("qwertyuiop" * n for n in range(1, 9))}
    with pytest.raises(CdnerError, match=r"the names of 8 types take \d+ of the 256 sub-words"):
        Reader(networks["span"]).read([Sentence("s", ("a",))], named)


# --- learning ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("architecture", "epochs"), [("span", 20), ("boundary", 40)])
def test_it_learns_what_it_is_shown(
    architecture: str, epochs: int, request: pytest.FixtureRequest, mini: Benchmark, tmp_path: Path
) -> None:
    backbone = request.getfixturevalue("tiny_gliner2" if architecture == "span" else "tiny_boundary")
    shown = (
        Sentence("s/0", ("Z.", "met", "b"), (Entity(0, 1, "researcher"),)),
        Sentence("s/1", ("a", "q", "q", "b"), (Entity(1, 3, "programlang"),)),
    )
    target = Corpus("own", ("researcher", "programlang"), shown * 4, shown)
    quick = {"target__epochs": epochs, "target__learning_rate": 1e-2, "finetuning__pace": 1.0}
    method = make(backbone, **quick, dev__every=10, finetuning__dropout=0.0)
    run = context(tmp_path)
    method.fit([], target, run)
    assert [p.entities for p in method.predict([s.unlabeled() for s in shown], run)] == [s.entities for s in shown]
    assert run.curve[0].numbers["loss"] > 2 * run.curve[-1].numbers["loss"]
    assert (run.model.trained, run.model.total) == (
        run.model.total,
        sum(p.numel() for p in method.network.parameters()),
    )


def test_zero_shot_learns_nothing_and_says_so(tiny_gliner2: str, mini: Benchmark, tmp_path: Path) -> None:
    method, run = make(tiny_gliner2, finetuning__transfer="none"), context(tmp_path)
    method.fit([cut(mini.corpus("news"))], cut(mini.corpus("ai")), run)
    assert (run.model.trained, run.curve, run.phases) == (0, [], [])
    for name, tensor in checkpoint.load(Path(tiny_gliner2)).state_dict().items():
        assert torch.equal(tensor, method.network.state_dict()[name])


@pytest.mark.parametrize(
    ("chosen", "given"),
    [
        ({}, ["a pre-trained model"]),
        ({"finetuning.transfer": "direct"}, ["target labels", "a pre-trained model"]),
        ({"finetuning.transfer": "pretrain-finetune"}, ["source labels", "target labels", "a pre-trained model"]),
    ],
)
def test_what_it_is_given(chosen: dict[str, object], given: list[str]) -> None:
    spec = plugins.discover().get("gliner2").spec
    values = {"finetuning.transfer": spec.resolve(None, chosen).finetuning.transfer}
    assert list(map(str, spec.list_given(values) or ())) == given
    assert spec.resolve("finetuned", {}).finetuning.transfer == "pretrain-finetune"
    assert spec.resolve("finetuned-cpu", {}).backbone == spec.resolve("cpu", {}).backbone


def test_a_killed_run_ends_as_an_undisturbed_one(
    tiny_gliner2: str, mini: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the second step of each training; dropout and the masks of the loss draw at random."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    killer, domains = KillerOfSeconds(), ([cut(mini.corpus("news"))], cut(mini.corpus("ai")))
    (whole, curve), (other, curve_again) = (
        fit_stubbornly(lambda: make(tiny_gliner2, source__sentences=16), *domains, tmp_path / place, each)
        for place, each in (("a", Killer()), ("b", killer))
    )
    undisturbed, again = whole.network.state_dict(), other.network.state_dict()
    assert killer.killed == {"source", "target"}
    assert curve == curve_again
    assert all(torch.equal(undisturbed[name], again[name]) for name in undisturbed)


@pytest.mark.parametrize(("architecture", "tolerance"), [("span", 1e-5), ("boundary", 0.2)])
def test_a_loss_is_that_of_its_parts(
    architecture: str, tolerance: float, networks: dict[str, Any], mini: Benchmark
) -> None:
    """What is a mean over a batch is nearly so."""
    network, ai = networks[architecture].eval(), mini.corpus("ai")
    items = Reader(network).read(ai.train[:4], name_types(ai))
    pupil = Pupil(network, Compute("cpu", "fp32"), 1.0)
    with torch.no_grad():
        whole, parts = float(pupil.loss(items)), sum(float(pupil.loss([item])) for item in items)
    assert whole == pytest.approx(parts, rel=tolerance)
    assert whole > 0


def test_heads_learn_at_a_rate_of_their_own(networks: dict[str, Any]) -> None:
    pupil = Pupil(networks["span"], Compute("cpu", "fp32"), 50.0)
    parameters = [p for _, p in pupil.learnt()]
    optimizer = pupil.optimize(parameters, 1e-5)
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(parameters)
    plain = [torch.nn.Parameter(torch.ones(3)) for _ in range(2)]
    paced = Paced([{"params": plain[:1], "pace": 1.0}, {"params": plain[1:], "pace": 50.0}], weight_decay=0.0)
    for group in paced.param_groups:
        group["lr"] = 1e-3
    for parameter in plain:
        parameter.grad = torch.ones(3)
    paced.step()
    assert [1 - parameter[0].item() for parameter in plain] == pytest.approx([1e-3, 5e-2], rel=1e-3)


def test_what_does_not_fit_is_told(tiny_gliner2: str, mini: Benchmark, tmp_path: Path) -> None:
    long = Sentence("s/0", ("ab",) * 200, (Entity(0, 9, "city"), Entity(20, 28, "city")))
    run, listener = context(tmp_path), Listener()
    run.observer = listener
    make(tiny_gliner2).fit([], Corpus("own", ("city",), (long,), (long,)), run)
    assert listener.notes[:2] == [
        "own train: 1 of 1 sentences are read in stretches that overlap",
        "own train: 1 of 2 entities have more words than a span of this backbone, 8",
    ]


@pytest.mark.parametrize("transfer", ["none", "direct"])
@pytest.mark.parametrize("architecture", ["tiny_gliner2", "tiny_boundary"])
@pytest.mark.parametrize(("types", "sentences"), [((), 1), (("city",), 1), (("city",), 0)])
def test_domains_with_little_to_learn(
    types: tuple[str, ...],
    sentences: int,
    architecture: str,
    transfer: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    """No type, one type and no entity, nothing in train."""
    sentence = Sentence("s", ("a", "b"))
    method, run = make(request.getfixturevalue(architecture), finetuning__transfer=transfer), context(tmp_path)
    method.fit([], Corpus("own", types, (sentence,) * sentences, (sentence,)), run)
    (said,) = method.predict([sentence], run)
    assert {entity.type for entity in said.entities} <= set(types)
    nothing = transfer == "direct" and not (types and sentences)
    assert run.doubts == ([Doubt.NO_STEP] if nothing else [])


def test_a_saved_model_is_the_same_elsewhere(tiny_boundary: str, mini: Benchmark, tmp_path: Path) -> None:
    ai, run = mini.corpus("ai"), context(tmp_path / "run")
    method = make(tiny_boundary, finetuning__transfer="direct")
    method.fit([], cut(ai, 8), run)
    (tmp_path / "model").mkdir()
    method.save(tmp_path / "model")
    other = make("gone")
    other.load(tmp_path / "model", ai.types, context(tmp_path / "elsewhere"))
    asked = [s.unlabeled() for s in ai.dev[:4]]
    assert list(other.predict(asked, run)) == list(method.predict(asked, run))
    assert all(torch.equal(other.network.state_dict()[n], t) for n, t in method.network.state_dict().items())


@pytest.mark.parametrize("transfer", ["none", "pretrain-finetune"])
def test_it_keeps_the_contract(transfer: str, tiny_gliner2: str) -> None:
    entry, chosen = plugins.discover().get("gliner2"), {**SMALL, "source.sentences": 4, "backbone": tiny_gliner2}
    checks = conformance.check(entry, {**chosen, "finetuning.transfer": transfer})
    assert [check for check in checks if check.problem] == []


# --- checkpoints ------------------------------------------------------------------------------------------------------


def rewrite(file: Path, **changed: object) -> None:
    told = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**told, **changed}), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: rewrite(f / "config.json", model_type="bert"), "is no GLiNER2 but a bert"),
        (lambda f: rewrite(f / "config.json", architecture="lattice"), "is a GLiNER2 of the architecture 'lattice'"),
        (lambda f: (f / "config.json").rename(f / "gliner_config.json"), "is no GLiNER2 but a GLiNER"),
        (lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"), "has no model.safetensors"),
        (lambda f: (f / "encoder_config" / "config.json").unlink(), "has no encoder_config/config.json"),
        (lambda f: (f / "config.json").unlink(), "is no GLiNER2 but a folder without"),
        (lambda f: (f / "config.json").write_text("{"), "is no JSON"),
        (lambda f: rewrite(f / "encoder_config" / "config.json", auto_map={"AutoModel": "x.Y"}), "code of its own"),
        (lambda f: rewrite(f / "tokenizer_config.json", auto_map={"AutoTokenizer": "x.Y"}), "code of its own"),
        (lambda f: (f / "model.safetensors").write_bytes(b"none"), "cannot be loaded: Failed to read safetensors"),
        (lambda f: rewrite(f / "config.json", counting_layer="count_lstm_moe"), "cannot be loaded: .*does not match"),
        (lambda f: rewrite(f / "config.json", architecture="boundary"), "cannot be loaded: .*does not match"),
        (lambda f: rewrite(f / "encoder_config" / "config.json", model_type="no such"), "cannot be loaded"),
        (lambda f: (f / "tokenizer.json").unlink(), "cannot be loaded"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_named(
    change: Callable[[Path], object], message: str, tiny_gliner2: str, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    for file in (file for file in Path(tiny_gliner2).rglob("*") if file.is_file()):
        copy = folder / file.relative_to(tiny_gliner2)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    checkpoint.load(checkpoint.find(str(folder)))
    change(folder)
    with pytest.raises(CdnerError, match=message) as caught:
        checkpoint.load(checkpoint.find(str(folder)))
    assert "GLiNER2 " not in message or "fastino/gliner2-base-v1" in (caught.value.hint or "")


def test_another_kind_of_model_is_named_with_those_that_fit(tiny_bert: str) -> None:
    with pytest.raises(CdnerError, match="is no GLiNER2 but a bert") as caught:
        checkpoint.find(tiny_bert)
    assert "fastino/gliner2-base-v1" in (caught.value.hint or "")


def test_weights_that_are_not_to_be_had_make_a_row_that_is_not_run(mini: Benchmark, tmp_path: Path) -> None:
    small = mini.cut_to(4)
    (job,) = runner.plan(
        small, small.list_scenarios("single", ["ai"]), [plugins.discover().get("gliner2")], "paper", {}, [0]
    )
    (outcome,) = runner.run([job], tmp_path, Listener())
    assert outcome.status == "not-run"
    assert "https://huggingface.co/fastino/gliner2-base-v1" in outcome.message
    assert "Apache-2.0" in outcome.message
    with pytest.raises(NotRunError) as caught:
        checkpoint.find("fastino/gliner2-base-v1")
    assert "hf download fastino/gliner2-base-v1" in (caught.value.hint or "")
    with pytest.raises(CdnerError, match="neither a folder nor on the hub"):
        checkpoint.find("no/such/folder")


def test_a_gated_checkpoint_s_licence_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the hub, it is one of the errors for what is not there."""

    def refuse(*_: object, **__: object) -> None:
        raise GatedRepoError.__new__(GatedRepoError)  # its response is none of ours to make

    monkeypatch.setattr(checkpoint, "snapshot_download", refuse)
    with pytest.raises(CdnerError, match="gated: its licence is to be accepted at https://hugg") as told:
        checkpoint.find("a/b")
    assert told.value.hint == "accept it there, then type: hf auth login"


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("cdner_gliner2.")]:
        monkeypatch.delattr(module)
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "gliner2", None)
    with pytest.raises(PluginError, match="method gliner2 cannot be loaded") as caught:
        plugins.discover().get("gliner2").spec.load(Method)
    assert caught.value.hint == "pip install 'cdner-bench[gliner2]'"
