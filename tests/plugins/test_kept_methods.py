"""What trained methods keep: another instance, elsewhere, has the same weights and says the same."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from cdner_bench import CdnerError, Corpus, Method, RunContext, plugins  # noqa: E402
from cdner_bench.cli import main  # noqa: E402
from cdner_bench.data import Benchmark, benchmark  # noqa: E402
from cdner_bench.io import models  # noqa: E402
from cdner_bench.plugins import lend  # noqa: E402
from cdner_bench.running import kept_models, runner  # noqa: E402
from cdner_torch import backbones  # noqa: E402
from cdner_torch.compute import Compute  # noqa: E402
from cdner_torch.lengths import TokenLimits  # noqa: E402
from llm_server import Behaviour, running  # noqa: E402
from support import Nobody, context, list_spans, read_spans  # noqa: E402

ONCE = {"source.epochs": 1, "target.epochs": 1, "target.learning_rate": 1e-2, "network.precision": "fp32"}
SHORT = {**ONCE, "decoding.max_answer": 8}
ADAPTERS = {
    **{name: value for name, value in SHORT.items() if name != "target.learning_rate"},
    "finetuning.learning_rate": 1e-2,
    "adapters.rank": 2,
}


@pytest.fixture(scope="module")
def domains() -> tuple[list[Corpus], Corpus]:
    def cut(corpus: Corpus) -> Corpus:
        return replace(lend(corpus).without_test(), train=corpus.train[:8], dev=corpus.dev[:4])

    mini = benchmark.load("mini")
    return [cut(mini.corpus("news"))], cut(mini.corpus("ai"))


def move(method: Method, target: Corpus, folder: Path, identity: dict[str, object] | None = None) -> Method:
    """Another instance that has loaded what a method saved, everything else being gone."""
    (folder / "draft").mkdir()
    method.save(folder / "draft")
    (folder / "draft").rename(folder / "model")
    for name in ("run", "shared"):
        shutil.rmtree(folder / name, ignore_errors=True)
    other = type(method)(method.options)
    other.load(folder / "model", target.types, again(folder, identity))
    return other


def again(folder: Path, identity: dict[str, object] | None = None) -> RunContext:
    return RunContext.create(0, folder / "elsewhere", folder / "elsewhere" / "shared", identity=identity)


def weights(method: Any) -> dict[str, Any]:
    """What a method has learnt, by name."""
    network = method.tagger if hasattr(method, "tagger") else method.model.network
    return {name: p.detach() for name, p in network.named_parameters()}


@pytest.mark.parametrize(
    ("name", "kind", "chosen"),
    [
        ("bert-tagger", "tiny_bert", ONCE),
        ("laner", "tiny_bert", ONCE),
        ("lst-ner", "tiny_bert", ONCE),
        ("daptn", "tiny_bert", {**ONCE, "mlm.epochs": 1, "mlm.dapt_tokens": 200}),
        ("topt-no-gtok", "tiny_t5", SHORT),
        ("topt-no-gtok", "tiny_bart", SHORT),
        ("topt-no-gtok", "tiny_llama", SHORT),
        ("topt", "tiny_llama", {**SHORT, "mslm.add_sentinels": True, "mslm.epochs": 1, "mslm.masked_copies": 1}),
        ("qlora-llama2", "tiny_llama", ADAPTERS),
        ("lora-llama2", "tiny_llama", ADAPTERS),
    ],
)
def test_a_trained_model_is_the_same_elsewhere(
    name: str,
    kind: str,
    chosen: dict[str, object],
    domains: tuple[list[Corpus], Corpus],
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    if "lora" in name:
        pytest.importorskip("peft")
    assert plugins.discover().get(name).spec.load(Method).find_missing() == []
    sources, target = domains
    spec = plugins.discover().get(name).spec
    backbone = request.getfixturevalue(kind)
    method = spec.load(Method)(spec.resolve(None, {**chosen, "backbone": backbone}))
    run = context(tmp_path)
    method.fit(sources, target, run)
    asked = [s.unlabeled() for s in target.dev]
    said = list(method.predict(asked, run))
    before = {name: tensor.clone() for name, tensor in weights(method).items()}
    other = move(method, target, tmp_path)
    after = weights(other)
    assert set(before) == set(after)
    assert all(torch.equal(before[name], after[name]) for name in before)
    torch.manual_seed(7)
    assert list(other.predict(asked, again(tmp_path))) == said
    if hasattr(method, "model"):  # what is said may be nothing at all after so little training
        pairs = [("the perceptron, a field <extra_id_0>", "perceptron is an algorithm")]
        losses = []
        for each in (method, other):
            torch.manual_seed(7)  # adapters have dropout
            losses.append(each.model.loss(each.model.encode(pairs)).item())  # type: ignore[attr-defined]
        assert losses[0] == losses[1]
    kinds = {path.suffix for path in (tmp_path / "model").rglob("*") if path.is_file()}
    assert kinds <= {".json", ".safetensors", ".txt", ".model", ".jinja"}


def test_adapters_ask_for_the_backbone_that_they_were_learnt_on(
    domains: tuple[list[Corpus], Corpus], tiny_llama: str, tmp_path: Path
) -> None:
    pytest.importorskip("peft")
    backbone = str(shutil.copytree(tiny_llama, tmp_path / "backbone"))
    spec = plugins.discover().get("lora-llama2").spec
    method = spec.load(Method)(spec.resolve(None, {**ADAPTERS, "backbone": backbone}))
    method.fit([], domains[1], context(tmp_path))
    identity: dict[str, object] = {"backbone": models.identify(backbone)}
    move(method, domains[1], tmp_path, identity)
    (tmp_path / "backbone" / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CdnerError, match="is not the one that the run began with"):
        type(method)(method.options).load(tmp_path / "model", domains[1].types, again(tmp_path, identity))


def test_an_encoder_decoder_that_shares_its_embeddings_is_kept_once(tmp_path: Path) -> None:
    try:
        place = str(models.fetch("minilm2minilm"))
    except CdnerError as error:
        pytest.skip(str(error))
    compute, limits = Compute("cpu", "fp32"), TokenLimits(answer=8)
    model = backbones.load(place, compute, limits)
    backbones.keep(model, tmp_path)
    other = backbones.load_kept(tmp_path, compute, limits)
    assert other.network.decoder.cls.predictions.decoder.weight is (
        other.network.encoder.embeddings.word_embeddings.weight
    )
    one, two = model.state(), other.state()
    assert set(one) == set(two)
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert (other.folds, other.room) == (model.folds, model.room)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"shots": 2},
        {"shots": 2, "demonstrations": "nearest", "format": "json"},
    ],
)
def test_a_language_model_is_asked_again_with_the_same_words(
    options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was asked in the run costs nothing, and a new sentence is asked where one likes."""
    if options.get("demonstrations"):
        pytest.importorskip("bm25s")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-PLANTED-0123456789")
    mini = benchmark.load("mini").cut_to(12)
    entry = plugins.discover().get("gpt4")
    with running(Behaviour()) as fake:
        asked_at = {"base_url": fake.url, "served_by": "fake"}
        chosen = {"model": "fake", "retries": 8, **asked_at, **options}
        (job,) = runner.plan(mini, mini.list_scenarios("single", ["ai"]), [entry], "paper", chosen, [0])
        (outcome,) = runner.run([replace(job, room=kept_models.ROOM)], tmp_path, Nobody())
        assert outcome.status == "finished", outcome.message
        folder = tmp_path / "runs" / job.id / "model"
        card = kept_models.read(folder)
        before = len(fake.answered)
        labeller = kept_models.prepare(folder, card, plugins.discover(), {"base_url": fake.url})
        said = labeller.label([s.tokens for s in mini.corpus("ai").test], tmp_path, Nobody())
        assert len(fake.answered) == before
        labeller.label([("A", "new", "sentence")], tmp_path, Nobody())
        assert len(fake.answered) == before + 1
    assert list_spans(said) == read_spans(folder.parent)


def test_the_real_tagger_labels_a_text(
    mini: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a few sentences of mini with the shipped backbone, a sentence longer than the model among those asked."""
    entry = plugins.discover().get("bert-tagger")
    chosen = {"source.epochs": 1, "target.epochs": 2, "source.sentences": 8}
    cut = mini.cut_to(12)
    (job,) = runner.plan(cut, cut.list_scenarios("single", ["ai"]), [entry], "quick", chosen, [0])
    (outcome,) = runner.run([replace(job, room=kept_models.ROOM)], tmp_path, Nobody())
    assert outcome.message == ""
    folder = tmp_path / "moved"
    (tmp_path / "runs" / job.id / "model").rename(folder)
    test = cut.corpus("ai").test
    said = kept_models.prepare(folder, kept_models.read(folder), plugins.discover(), {}).label(
        [s.tokens for s in test], tmp_path, Nobody()
    )
    assert list_spans(said) == read_spans(tmp_path / "runs" / job.id)
    monkeypatch.chdir(tmp_path)
    Path("t.txt").write_text(f"A perceptron .\n{'long ' * 1500}\n", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["predict", str(folder), "t.txt", "--to", "bio"])
    assert not ended.value.code
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 3 + 1 + 1500 + 1
    licence = models.read_catalogue()[job.method.backbone or ""].licence
    assert f"backbone {job.method.backbone}: {licence}" in shown.err
