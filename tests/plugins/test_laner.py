"""laner: labels that are read like a text, against the equations written plainly; on a tiny random encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from cdner_bench import CdnerError, Corpus, Entity, NotRunError, Sentence, plugins, sentence_counts, total  # noqa: E402
from cdner_bench.data import Benchmark  # noqa: E402
from cdner_bench.plugins import conformance  # noqa: E402
from cdner_bench.running import runner  # noqa: E402
from cdner_laner.method import Laner  # noqa: E402
from cdner_laner.model import LabelAware  # noqa: E402
from cdner_laner.options import Network  # noqa: E402
from cdner_torch import loop  # noqa: E402
from cdner_torch.batches import IGNORED  # noqa: E402
from cdner_torch.tagging.encoding import Window, collate  # noqa: E402
from cdner_torch.tagging.model import bio_labels, load_encoder, load_reader, load_tagger, save_tagger  # noqa: E402
from cdner_torch.tagging.training import Pupil, Tagging, decode  # noqa: E402
from support import Killer, KillerOfSeconds, Nobody, context, fit_stubbornly  # noqa: E402

FP32 = Tagging("cpu", "fp32", 0)
LABELS = bio_labels(["person", "task"])
SMALL = {
    "network.precision": "fp32",
    "network.label_size": 12,
    "source.epochs": 1,
    "target.epochs": 2,
    "target.learning_rate": 1e-3,
}


def entry() -> Any:
    """The plugin as it is registered."""
    return plugins.discover().get("laner")


def make(backbone: str, **chosen: Any) -> Laner:
    options = {name.replace("__", "."): value for name, value in chosen.items()}
    return Laner(entry().spec.resolve(None, {**SMALL, "backbone": backbone, **options}))


def network(backbone: str, **chosen: Any) -> LabelAware:
    torch.manual_seed(3)
    model = LabelAware(load_encoder(backbone), LABELS, [LABELS], Network(label_size=12, **chosen))
    with torch.no_grad():  # far enough from each other that attention is not even and answers are not undecided
        for name, weight in model.named_parameters():
            if not name.startswith(("encoder", "names")):
                weight.mul_(3)
    return model.eval()


def window(ids: Sequence[int], first: Sequence[int], labels: Sequence[int] = ()) -> Window:
    return Window(0, tuple(ids), range(len(first)), tuple(first), tuple(labels), 0)


WINDOWS = [
    window([2, 10, 11, 12, 13, 14, 3], [1, 2, 4, 5], [0, 1, 2, 3]),
    window([2, 20, 3], [1], [4]),
    window([2, 30, 31, 32, 33, 34, 35, 36, 3], [1, 3, 4, 7], [1, 0, 0, 3]),
    window([40, 41, 42, 43], [0, 1, 3], [1, 2, 0]),  # of a tokenizer that puts nothing before a text
    window([50], [0], [3]),
]


def plainly(model: LabelAware, row: Window, labels: Sequence[int] | None, *, faithful: bool = False) -> Any:
    """Logits of the words of one window as the equations have them, a step after the other; after `labels`, or else
    after the likeliest ones.
    """
    size, hidden = model.options.label_size, model.encoder(input_ids=torch.tensor([row.ids])).last_hidden_state[0]
    both = torch.nn.LSTM(size, size, bidirectional=True)
    names = [name for name, _ in model.forwards.named_parameters()]
    state = {name: getattr(model.forwards, name) for name in names}
    both.load_state_dict(state | {f"{name}_reverse": getattr(model.backwards, name) for name in names})
    said: list[Any] = []
    found = []
    for i, h in enumerate(hidden):
        if not said:
            none = torch.zeros(2 * size)
            e = model.first(torch.cat([h, none]))
            logits = model.first_head(torch.cat([h, h, e, e]))
        else:
            o = both(torch.stack(said))[0]
            m = model.asking(o[-1])
            b = torch.softmax(hidden @ m, 0) @ hidden
            q = model.query(torch.cat([h, b]) if model.options.background else h)
            c = torch.softmax(o @ q, 0) @ o
            logits = model.head(torch.cat([h, b, c]))
        word = row.first.index(i) if i in row.first else None
        if word is not None:
            found.append(logits)
            label = labels[word] if labels else int(logits.argmax())
            said.append(model.names(torch.tensor(label)))
        else:
            said.append(model.names(logits.argmax()) if faithful else model.elsewhere)
    return torch.stack(found)


# --- the equations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("background", [True, False])
def test_all_words_at_once_are_the_loop_over_them(tiny_bert: str, background: bool) -> None:
    """In a batch of several lengths, so pads change nothing; and so does the gradient not."""
    model = network(tiny_bert, background=background)
    logits = model.score(collate(WINDOWS, 0))
    for n, row in enumerate(WINDOWS):
        expected = plainly(model, row, row.labels)
        assert torch.allclose(logits[n, list(row.first)], expected, atol=1e-4)
        read = [model.names.weight, model.elsewhere]
        pairs = zip(
            torch.autograd.grad(logits[n, list(row.first)].square().sum(), read, retain_graph=True),
            torch.autograd.grad(expected.square().sum(), read, allow_unused=True),
            strict=True,
        )
        for ours, theirs in pairs:
            assert torch.allclose(ours, torch.zeros(()) if theirs is None else theirs, atol=1e-2, rtol=1e-3)


@pytest.mark.parametrize("background", [True, False])
@torch.no_grad()  # type: ignore[untyped-decorator]
def test_answers_are_those_of_the_loop(tiny_bert: str, background: bool) -> None:
    model = network(tiny_bert, background=background)
    rows = [replace(row, labels=()) for row in WINDOWS]
    together = model.score(collate(rows, 0))
    for n, row in enumerate(rows):
        expected = plainly(model, row, None)
        assert torch.allclose(together[n, list(row.first)], expected, atol=1e-4)
    said = {int(label) for n, row in enumerate(rows) for label in together[n, list(row.first)].argmax(-1)}
    assert len(said) > 2  # they do say different things


@torch.no_grad()  # type: ignore[untyped-decorator]
def test_the_released_code_s_ways_are_an_option(tiny_bert: str) -> None:
    """What was said of pieces that have no label is read at test, and pads are attended to."""
    model = network(tiny_bert, faithful=True)
    row = replace(WINDOWS[2], labels=())
    alone = model.score(collate([row], 0))[0, list(row.first)]
    assert torch.allclose(alone, plainly(model, row, None, faithful=True), atol=1e-4)
    assert not torch.allclose(alone, plainly(model, row, None), atol=1e-2)
    short = replace(WINDOWS[1], labels=())
    padded = model.score(collate([row, short], 0))[1, list(short.first)]
    assert not torch.allclose(padded, model.score(collate([short], 0))[0, list(short.first)], atol=1e-2)


def test_the_label_outside_stays_nothing(tiny_bert: str) -> None:
    model = network(tiny_bert)
    logits = model.score(collate(WINDOWS[:3], 0))
    labels = collate(WINDOWS[:3], 0).labels
    torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED).backward()
    gradient = model.names.weight.grad
    assert gradient is not None
    assert (model.names.weight[0] == 0).all()
    assert (gradient[0] == 0).all()
    assert (gradient[1:3] != 0).any(1).all()
    assert model.elsewhere.grad is not None


def test_every_window_has_something_to_learn(tiny_bert: str) -> None:
    """Beside a word that fills a window there was one that decides no word, and has no gradient alone."""
    pupil = Pupil(network(tiny_bert), FP32)
    long = Sentence("long", (*["a"] * 80, "b" * 62, "a"), (Entity(0, 1, "person"),))
    read = load_reader(tiny_bert).read([long], LABELS)
    assert sum(pupil.terms([window]) for window in read) == 82
    for window in read:
        torch.autograd.backward(pupil.loss([window]))


# --- the domains' labels ----------------------------------------------------------------------------------------------


def test_what_the_target_shares_with_the_sources_is_kept(tiny_bert: str) -> None:
    old = network(tiny_bert)
    new = old.relabelled(bio_labels(["field", "task"]))
    assert isinstance(new, LabelAware)
    assert torch.equal(new.names.weight[3:], old.names.weight[3:])
    assert torch.equal(new.head.weight[[0, 3, 4]], old.head.weight[[0, 3, 4]])
    assert not torch.equal(new.head.weight[1], old.head.weight[1])
    for name in ("forwards.weight_hh_l0", "backwards.bias_ih_l0", "asking.weight", "query.weight", "elsewhere"):
        assert torch.equal(new.state_dict()[name], old.state_dict()[name])


def test_labels_that_a_domain_lacks_are_never_said(tiny_bert: str) -> None:
    torch.manual_seed(0)
    model = LabelAware(load_encoder(tiny_bert), LABELS, [LABELS[:3], LABELS], Network(label_size=12)).eval()
    rows = [replace(row, labels=(), domain=0) for row in WINDOWS]
    for given in (rows, WINDOWS):
        assert torch.isinf(model.score(collate(given, 0))[..., 3:]).all()


def test_saving_and_loading_is_the_identity(tiny_bert: str, tmp_path: Path) -> None:
    model = network(tiny_bert)
    save_tagger(model, tmp_path)
    again = load_tagger(tmp_path, partial(LabelAware, options=model.options))
    assert all(torch.equal(weight, again.state_dict()[name]) for name, weight in model.state_dict().items())


# --- learning ---------------------------------------------------------------------------------------------------------


def test_it_learns_what_it_is_shown(tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path) -> None:
    _, target = domains
    method = make(
        tiny_bert,
        finetuning__dropout=0.0,
        finetuning__transfer="direct",
        target__epochs=50,
        target__learning_rate=5e-3,
        target__patience=None,
        dev__every=50,
    )
    run = context(tmp_path)
    method.fit([], replace(target, dev=target.train), run)
    answers = list(method.predict([s.unlabeled() for s in target.train], run))
    assert total(map(sentence_counts, target.train, answers)).f1 > 60


@pytest.mark.parametrize("transfer", ["pretrain-finetune", "direct", "joint"])
def test_every_kind_of_transfer_runs_and_repeats(
    transfer: str, tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path
) -> None:
    sources, target = domains
    learnt: list[dict[str, Any]] = []
    for place in ("one", "two"):
        torch.manual_seed(len(learnt))
        method = make(tiny_bert, finetuning__transfer=transfer, target__joint_repeats=2)
        method.fit(sources, target, context(tmp_path / place))
        learnt.append(dict(method.tagger.state_dict()))
    assert all(torch.equal(learnt[0][name], learnt[1][name]) for name in learnt[0])


def test_a_killed_run_ends_as_an_undisturbed_one(
    tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the second step of each training, that of the text included."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    chosen: dict[str, Any] = {"pretraining": "dapt", "mlm__epochs": 2, "mlm__block": 32, "mlm__dapt_tokens": 300}
    killer = KillerOfSeconds()
    (whole, curve), (other, curve_again) = (
        fit_stubbornly(lambda: make(tiny_bert, finetuning__batch_size=8, **chosen), *domains, tmp_path / place, each)
        for place, each in (("a", Killer()), ("b", killer))
    )
    undisturbed, again = dict(whole.tagger.state_dict()), dict(other.tagger.state_dict())
    assert killer.killed == {"mlm", "source", "target"}
    assert curve == curve_again
    assert all(torch.equal(undisturbed[name], again[name]) for name in undisturbed)


def test_the_stage_of_the_sources_is_another_with_other_labels_read(
    tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path
) -> None:
    sources, target = domains
    others = {"target__epochs": 1, "network__label_size": 8, "network__background": False, "network__faithful": True}
    for number, chosen in enumerate([{}, *({name: value} for name, value in others.items())]):
        run = replace(context(tmp_path), workdir=tmp_path / f"run{number}")
        make(tiny_bert, **chosen).fit(sources, target, run)
        assert run.phases[0].reused == (number == 1)


def test_it_keeps_the_contract(tiny_bert: str) -> None:
    chosen = {**SMALL, "backbone": tiny_bert}
    assert [check for check in conformance.check(entry(), chosen) if check.problem] == []


# --- odd domains and backbones ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["…", "B-x", "a b", "x" * 600])
def test_any_name_and_a_single_type_will_do(kind: str, tiny_bert: str, mini: Benchmark, tmp_path: Path) -> None:
    """Labels are known by their numbers, so none needs a usable name; types of the source alone are never said."""
    sentences = tuple(Sentence(f"d/{n}", ("the", "of", "ai"), (Entity(0, 1, kind),)) for n in range(6))
    target = replace(mini.corpus("ai"), types=(kind,), train=sentences, dev=sentences[:2], test=())
    source = replace(mini.corpus("news"), train=mini.corpus("news").train[:8], dev=(), test=())
    method = make(tiny_bert)
    method.fit([source], target, context(tmp_path))
    assert method.tagger.labels == bio_labels([kind])
    (said,) = method.predict([sentences[0].unlabeled()], context(tmp_path))
    assert {entity.type for entity in said.entities} <= {kind}


def test_four_hundred_types_will_do(tiny_bert: str, tmp_path: Path) -> None:
    types = tuple(f"{n} of {n} types" for n in range(400))
    labels = bio_labels(types)
    model = LabelAware(load_encoder(tiny_bert), labels, [labels], Network(label_size=12))
    sentence = Sentence("s", ("the", "of"))
    (said,) = decode(model, [sentence], load_reader(tiny_bert).read([sentence]), FP32)
    assert {entity.type for entity in said.entities} <= set(types)


def test_a_sentence_longer_than_the_encoder_is_answered_word_by_word(tiny_bert: str, mini: Benchmark) -> None:
    tokens = [token for s in mini.corpus("science").train for token in s.tokens][:60]
    model = network(tiny_bert)
    long = Sentence("long", tuple(tokens))
    (said,) = decode(model, [long], load_reader(tiny_bert).read([long]), FP32)
    assert said.tags is not None
    assert len(said.tags) == 60


def test_a_text_to_begin_with_is_what_a_run_is_given(tiny_bert: str, mini: Benchmark, tmp_path: Path) -> None:
    """The file of the benchmark comes to the method with the option that needs it, and with no other."""
    data, texts = mini.cut_to(20), {"mlm.dapt_tokens": 400, "mlm.epochs": 1, "source.sentences": 20}
    values = {**SMALL, **texts, "backbone": tiny_bert}
    scenarios = data.list_scenarios("single", ["ai"])
    plain, read = (
        runner.plan(data, scenarios, [entry()], None, {**values, "pretraining": text}, [0])[0]
        for text in ("none", "dapt")
    )
    assert runner.visible_corpus(plain, "ai").resources == {}
    (outcome,) = runner.run([read], tmp_path, Nobody())
    assert outcome.status == "finished", outcome.message
    assert outcome.result is not None
    assert "mlm" in [phase.name for phase in outcome.result.phases]


def test_no_text_to_begin_with_is_no_run(tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path) -> None:
    with pytest.raises(NotRunError, match="needs unlabelled text of ai"):
        make(tiny_bert, pretraining="dapt").fit([], replace(domains[1], resources={}), context(tmp_path))


def test_a_backbone_that_is_no_encoder_is_named_with_those_that_fit(
    tiny_t5: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path
) -> None:
    with pytest.raises(CdnerError, match="is an encoder-decoder") as caught:
        make(tiny_t5).fit(*domains, context(tmp_path))
    assert "minilm" in (caught.value.hint or "")


def test_presets_give_it_what_they_give_the_plain_tagger() -> None:
    for preset in ("paper", "cpu", "quick"):
        ours = entry().spec.resolve(preset, {})
        plain = plugins.discover().get("bert-tagger").spec.resolve(preset, {})
        assert (ours.backbone, ours.pretraining) == (plain.backbone, "none")
        for group, names in {
            "source": ("epochs", "sentences", "sampling"),
            "target": ("epochs",),
            "dev": ("every", "sentences"),
            "finetuning": ("batch_size",),
        }.items():
            for name in names:
                assert getattr(getattr(ours, group), name) == getattr(getattr(plain, group), name), (preset, name)
    paper = entry().spec.resolve("paper", {})
    assert (paper.network.label_size, paper.network.background, paper.network.faithful) == (100, True, False)
    assert (paper.target.patience, paper.target.learning_rate, paper.finetuning.batch_size) == (16, 5e-5, 16)
