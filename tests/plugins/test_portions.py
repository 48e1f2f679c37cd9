"""What is answered at once when memory runs out: less and less, for the same answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from transformers import BertModel  # noqa: E402
from transformers.models.bart.modeling_bart import BartEncoder  # noqa: E402
from transformers.models.llama.modeling_llama import LlamaModel  # noqa: E402
from transformers.models.t5.modeling_t5 import T5Stack  # noqa: E402

from cdner_bench import Corpus, Method, plugins  # noqa: E402
from cdner_bench.errors import CdnerError  # noqa: E402
from cdner_torch.portions import Portions  # noqa: E402
from support import context  # noqa: E402

FULL = "CUDA out of memory"
SHORT = {"decoding.max_answer": 4, "network.precision": "fp32"}


def test_groups_are_halved_until_they_fit_and_none_is_larger_again() -> None:
    tried: list[list[int]] = []

    def say(group: Sequence[int]) -> str:
        tried.append(list(group))
        if sum(group) > 6:
            raise torch.OutOfMemoryError(FULL)
        return "".join(map(str, group))

    portions = Portions(8, 1000)
    said = portions.answer([3] * 5 + [1] * 7, int, say)
    assert [text for _, text in said] == ["33", "33", "31", "111111"]
    assert list(map(len, tried)) == [8, 4, 2, 2, 2, 6], "short ones pay for none of the long ones"
    tried.clear()
    assert [group for group, _ in portions.answer([3, 3, 3], int, say)] == [[3, 3], [3]]
    assert list(map(len, tried)) == [2, 1]
    with pytest.raises(CdnerError, match="out of memory with one answer at a time") as told:
        list(portions.answer([7], int, say))
    assert told.value.hint == "take a smaller backbone"


def test_what_is_no_want_of_memory_is_not_tried_again() -> None:
    def say(group: Sequence[int]) -> str:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1"):
        list(Portions(8, 1000).answer([1, 2], int, say))


@pytest.mark.parametrize(
    ("name", "kind", "chosen"),
    [
        ("bert-tagger", "tiny_bert", {}),
        ("laner", "tiny_bert", {}),
        ("lst-ner", "tiny_bert", {}),
        ("mccl", "tiny_bert", {"cells.units": 4}),
        ("gliner2", "tiny_gliner2", {"finetuning.transfer": "none", "answering.threshold": 0.03}),
        ("lightner", "tiny_bart", {}),
        ("topt-no-gtok", "tiny_t5", SHORT),
        ("cp-ner", "tiny_t5", {**SHORT, "own.epochs": 1}),
        ("lora-llama2", "tiny_llama", {**SHORT, "adapters.rank": 2}),
    ],
)
def test_every_method_answers_less_at_once_when_memory_runs_out(
    name: str,
    kind: str,
    chosen: dict[str, object],
    domains: tuple[list[Corpus], Corpus],
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only those that generate text did; the others failed when all was learnt."""
    (source, _), target = domains
    spec, run = plugins.discover().get(name).spec, context(tmp_path)
    once = {} if name == "gliner2" else {"source.epochs": 1, "target.epochs": 1}
    backbone = request.getfixturevalue(kind)
    method = spec.load(Method)(spec.resolve("quick", {"backbone": backbone, **once, **chosen}))
    method.fit([source], target, run)
    asked = [s.unlabeled() for s in target.train]
    said = [(p.sentence_id, p.entities, p.raw, p.tags) for p in method.predict(asked, run)]
    rows: list[int] = []

    def fill(network: type) -> None:
        real = network.forward  # type: ignore[attr-defined]

        def forward(self: Any, *args: Any, **inputs: Any) -> Any:
            ids = inputs.get("input_ids", args[0] if args else None)
            rows.append(0 if ids is None else len(ids))
            if rows[-1] > 6:
                raise torch.OutOfMemoryError(FULL)
            return real(self, *args, **inputs)

        monkeypatch.setattr(network, "forward", forward)

    for network in (BertModel, BartEncoder, T5Stack, LlamaModel):
        fill(network)
    again = [(p.sentence_id, p.entities, p.raw, p.tags) for p in method.predict(asked, run)]
    assert again == said
    assert max(rows) > 6 >= rows[-1]
