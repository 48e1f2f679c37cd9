"""Make `minilm2minilm`: an encoder-decoder begun from MiniLM, taught on free text to copy spans and name their types.

    python scripts/backbones/minilm2minilm.py --corpus FOLDER --out FOLDER

FOLDER of the corpus holds the unpacked Debian packages (text.py). The encoder is MiniLM; the decoder is three of its
layers with cross-attention begun on their self-attention (Rothe et al. 2020, https://aclanthology.org/2020.tacl-1.18);
one embedding serves both and the output. Embeddings and the lower half of the encoder stay as they are, so that what
is learnt is small enough to ship. Interrupted, the same command goes on from the last checkpoint.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import text
import torch
from tasks import Example, Tasks, Vocabulary
from torch import Tensor, nn
from transformers import AutoTokenizer, BertConfig, BertModel, EncoderDecoderConfig, EncoderDecoderModel

from cdner_bench import RunContext
from cdner_bench.io import derived, models
from cdner_bench.plugins import Unwatched
from cdner_torch import backbones, hub, weights
from cdner_torch.batches import IGNORED, group_by_length, pad_rows
from cdner_torch.compute import Compute
from cdner_torch.learner import Learner
from cdner_torch.loop import train
from cdner_torch.schedule import Schedule

DECODER_LAYERS = (1, 3, 5)
"""The encoder's layers that the decoder begins as, from 0."""
FROZEN_LAYERS = 3
"""How many of the encoder's layers stay as they are, with the embeddings."""


@dataclass(frozen=True)
class Budget:
    """How long each stage of the curriculum (tasks.py) lasts, in batches."""

    batches: tuple[int, int, int, int] = (100, 250, 550, 1100)
    batch_size: int = 64
    learning_rate: float = 5e-4

    def scaled(self, share: float) -> Budget:
        """As many batches less."""
        a, b, c, d = (max(1, round(n * share)) for n in self.batches)
        return Budget((a, b, c, d), self.batch_size, self.learning_rate)


def build(minilm: Path) -> EncoderDecoderModel:
    """MiniLM as encoder and decoder; the output's transform begins as the identity."""
    rates: dict[str, Any] = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    encoder = hub.load_model(BertModel, str(minilm), add_pooling_layer=False, attn_implementation="eager", **rates)
    layers = len(DECODER_LAYERS)
    own = {**encoder.config.to_dict(), "num_hidden_layers": layers, "is_decoder": True, "add_cross_attention": True}
    config = EncoderDecoderConfig.from_encoder_decoder_configs(encoder.config, BertConfig(**own))
    config.shared_embeddings = True
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = 101, 0, 102
    model = EncoderDecoderModel(config)
    model.set_attn_implementation("eager")
    model.encoder = encoder
    decoder = model.decoder.bert
    decoder.embeddings.load_state_dict(encoder.embeddings.state_dict())
    with torch.no_grad():
        for layer, number in zip(decoder.encoder.layer, DECODER_LAYERS, strict=True):
            weights = encoder.encoder.layer[number].state_dict()
            layer.load_state_dict(weights, strict=False)
            attention = {k.removeprefix("attention."): v for k, v in weights.items() if k.startswith("attention.")}
            layer.crossattention.load_state_dict(attention)
        head = model.decoder.cls.predictions
        head.transform.dense.weight.copy_(torch.eye(config.decoder.hidden_size))
        head.transform.dense.bias.zero_()
        head.bias.zero_()
    backbones.share_embeddings(model)
    return model


class Reader(Learner[Example]):
    """The model and its loss, over the pieces that the batch holds: the output layer is computed for those only."""

    def __init__(self, network: Any, precision: str) -> None:
        self.network = network
        self.compute = Compute("cpu", precision)
        for part in (network.encoder.embeddings, *network.encoder.encoder.layer[:FROZEN_LAYERS]):
            part.requires_grad_(False)
        network.decoder.bert.embeddings.requires_grad_(False)
        network.decoder.cls.predictions.bias.requires_grad_(False)

    def loss(self, items: Sequence[Example]) -> Tensor:
        """Cross-entropy summed over the target tokens."""
        ids, labels = pad_rows([s for s, _ in items], 0), pad_rows([t for _, t in items], IGNORED)
        attention = (ids != 0).long()
        start = torch.full((len(items), 1), self.network.config.decoder_start_token_id)
        inputs = torch.cat([start, labels[:, :-1].clamp(min=0)], 1)
        with self.compute.autocast():
            hidden = self.network.encoder(input_ids=ids, attention_mask=attention).last_hidden_state
            out = self.network.decoder.bert(
                input_ids=inputs, encoder_hidden_states=hidden, encoder_attention_mask=attention, use_cache=False
            ).last_hidden_state
            real = labels != IGNORED
            pieces, wanted = torch.cat([ids.flatten(), labels[real]]).unique(return_inverse=True)  # type: ignore[no-untyped-call]
            head = self.network.decoder.cls.predictions
            logits = head.transform(out[real]) @ head.decoder.weight[pieces].T
            return nn.functional.cross_entropy(logits.float(), wanted[ids.numel() :], reduction="sum")

    def terms(self, items: Sequence[Example]) -> int:
        """How many target tokens there are."""
        return sum(len(target) for _, target in items)


class Curriculum:
    """The stages one after the other, as epochs of 50 batches, each drawn from the seed and its number."""

    steps = 50

    def __init__(self, draw: Any, budget: Budget) -> None:
        self.draw, self.budget = draw, budget
        self.epochs = sum(budget.batches) // self.steps

    def batches(self, epoch: int) -> Iterator[list[Example]]:
        """Batches of like length, in random order."""
        tasks = self.draw(epoch)
        size = self.budget.batch_size
        stages = [n for n, count in enumerate(self.budget.batches) for _ in range(count)]
        here = stages[epoch * self.steps : (epoch + 1) * self.steps]
        pools: dict[int, list[_Sized]] = {}
        for stage in here:
            pools.setdefault(stage, []).extend(_Sized(tasks.draw(stage)) for _ in range(size))
        groups = [group for pool in pools.values() for group in group_by_length(pool, size)]
        tasks.random.shuffle(groups)
        for group in groups:
            yield [item.example for item in group]


@dataclass(frozen=True)
class _Sized:
    example: Example

    def __len__(self) -> int:
        return len(self.example[0]) + 2 * len(self.example[1])


def read_tokenizer(minilm: Path, out: Path) -> Any:
    """MiniLM's, with sentinels for its unused pieces, and brackets and commas written as the answers have them."""
    told = json.loads((minilm / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = told["model"]["vocab"]
    names = {"[UNK]": "<unk>"} | {f"[unused{n}]": f"<extra_id_{n}>" for n in range(100)}
    numbers = {names.get(piece, piece): number for piece, number in vocabulary.items()}
    told["model"] |= {"vocab": numbers, "unk_token": "<unk>"}
    for added in told["added_tokens"]:
        added["content"] = names.get(added["content"], added["content"])
    like = told["added_tokens"][0]
    sentinels = [{**like, "id": numbers[f"<extra_id_{n}>"], "content": f"<extra_id_{n}>"} for n in range(100)]
    told["added_tokens"] = sorted([*told["added_tokens"], *sentinels], key=lambda token: int(token["id"]))
    told |= {"truncation": None, "padding": None}
    marks = [("( ", "("), ("[ ", "["), (" )", ")"), (" ]", "]"), (" ,", ",")]
    joined = [{"type": "Replace", "pattern": {"String": apart}, "content": mark} for apart, mark in marks]
    told["decoder"] = {
        "type": "Sequence",
        "decoders": [{"type": "WordPiece", "prefix": "##", "cleanup": False}, {"type": "Fuse"}, *joined],
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "tokenizer.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 512,
        "pad_token": "[PAD]",
        "unk_token": "<unk>",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "bos_token": "[CLS]",
        "eos_token": "[SEP]",
        "mask_token": "[MASK]",
        "extra_special_tokens": [f"<extra_id_{n}>" for n in range(100)],
    }
    (out / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    return AutoTokenizer.from_pretrained(out)


def main() -> None:
    """Train, and leave in the folder what was learnt, tokenizer, configuration and a record of the training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--share", type=float, default=1.0, help="of the batches of every stage")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)
    minilm = models.fetch("minilm")
    vocabulary = Vocabulary(read_tokenizer(minilm, arguments.out))
    sentences, nouns = list(text.sentences(arguments.corpus)), text.nouns(arguments.corpus)
    budget = Budget().scaled(arguments.share)
    run = RunContext.create(arguments.seed, arguments.out, arguments.out, observer=Printed(), log=logging.getLogger())
    curriculum = Curriculum(
        lambda epoch: Tasks(vocabulary, sentences, nouns, seed=arguments.seed * 1000 + epoch), budget
    )
    torch.manual_seed(arguments.seed)
    reader = Reader(build(minilm), arguments.precision)
    schedule = Schedule(curriculum.epochs, budget.batch_size, budget.learning_rate, warmup=0.03, max_norm=1.0)
    train(reader, curriculum, schedule, "pretrain", run, arguments.out)
    export(reader, arguments.out, arguments.out / "shipped", asdict(budget) | {"seed": arguments.seed})


def export(reader: Reader, trained: Path, shipped: Path, record: dict[str, Any]) -> None:
    """The folder that is shipped: what was learnt in eight bits, as io/derived.py reads it, and what goes with it."""
    shipped.mkdir(exist_ok=True)
    tensors: dict[str, Tensor] = {}
    for name, tensor in reader.state().items():
        if tensor.ndim == 2:
            scale = tensor.abs().amax(1).clamp(min=1e-8) / 127
            tensors[name], tensors[name + derived.SCALE] = (tensor / scale[:, None]).round().to(torch.int8), scale
        else:
            tensors[name] = tensor.half()
    weights.keep(tensors, shipped / weights.NAME, {"format": "pt"})
    config = reader.network.config.to_dict()
    for part in (config, config["encoder"], config["decoder"]):
        part.pop("_name_or_path", None)  # a place of this machine
    (shipped / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(trained / name, shipped)
    (shipped / "training.json").write_text(json.dumps(record) + "\n", encoding="utf-8")


class Printed(Unwatched):
    """An observer that prints the mean loss of every 25 batches."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def note(self, text: str) -> None:
        """Print the note."""
        print(text, flush=True)

    def progress(self, step: int, total: int | None, numbers: Mapping[str, float]) -> None:
        """Print the mean loss of the last 25 batches."""
        self.losses.append(numbers["loss"])
        if step % 25 == 0:
            logging.info("batch %d of %s, loss %.3f", step, total, sum(self.losses) / len(self.losses))
            self.losses = []


if __name__ == "__main__":
    main()
