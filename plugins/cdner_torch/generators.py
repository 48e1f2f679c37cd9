"""Text-to-text models: encoder-decoders (T5, mT5, BART) and decoder-only ones, behind the same few verbs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, takewhile
from typing import Any

import torch
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
)
from transformers.modeling_outputs import BaseModelOutput

from cdner_bench import Cut, Prediction, Sentence, text2text

from .batches import IGNORED, pad_rows
from .compute import Compute
from .descent import move_network
from .learner import Learner
from .lengths import LONGEST, Room, TokenLimits, count_unseen, find_positions
from .options import Answers
from .portions import Portions
from .tokens import add_special, find_dropped, find_marks, ignores_case, spell


@dataclass(frozen=True, slots=True)
class Example:
    """A source and its target as ids, cut to the model's limits."""

    source: tuple[int, ...]
    target: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.source) + len(self.target)


@dataclass(frozen=True)
class Completion:
    """What a model said, and what did not fit into its limits."""

    text: str
    cut: tuple[Cut, ...] = ()


Choice = Callable[[Tensor, Tensor, Tensor], Tensor]
"""What is said next: of which prompts (rows), what they have been answered so far (rows, tokens), the logits (rows,
vocabulary) → tokens (rows)."""


def say_likeliest(rows: Tensor, said: Tensor, logits: Tensor) -> Tensor:
    """The likeliest token of each row."""
    return logits.argmax(-1)


class Decoding(ABC):
    """Answers on their way, a token at a time, each to one source of a batch. `mask` (rows, source tokens) says what of
    the padded sources counts, `past` is what the network remembers.
    """

    def __init__(self, network: Any, mask: Tensor, past: Any = None) -> None:
        self.network, self.mask, self.past = network, mask, past

    def logits(self, token: Tensor | None) -> Tensor:
        """What each answer may say (rows, vocabulary) after the token that it said last (rows); None: first of all."""
        said = self.network(**self.inputs(token), past_key_values=self.past, use_cache=True)
        self.past = said.past_key_values
        return said.logits[:, -1]  # type: ignore[no-any-return]

    @abstractmethod
    def inputs(self, token: Tensor | None) -> dict[str, Any]:
        """What the network is given for that."""

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows only."""
        self.past.batch_select_indices(rows)
        self.mask = self.mask[rows]


class Backbone(Learner[Example]):
    """A network, its tokenizer, and how precisely to compute."""

    relief = "take a smaller backbone, or -o network.max_source=128"
    considered = 1024
    """Among how many of the likeliest tokens a constrained answer is looked for."""

    def __init__(self, network: Any, tokenizer: Any, compute: Compute, limits: TokenLimits) -> None:
        self.network = move_network(network, compute.device, self.relief)
        self.tokenizer = tokenizer
        self.compute = compute
        self.room = self.measure(tokenizer, network.config, limits)
        self.limits = limits
        self.portions = Portions(128, 128 * 320**2)  # prompts for the longest sentences of CrossNER have two thirds
        self.before, self.after = find_marks(tokenizer)
        self._dropped = find_dropped(tokenizer)
        self.folds = ignores_case(tokenizer)

    @staticmethod
    @abstractmethod
    def measure(tokenizer: Any, config: Any, limits: TokenLimits) -> Room:
        """What of a text fits into such a model."""

    def encode(self, pairs: Sequence[tuple[str, str]]) -> list[Example]:
        """Sources and targets as ids, an example for each pair of texts."""
        sources, targets = self._ids([s for s, _ in pairs]), self._ids([t for _, t in pairs])
        return [self.example(s, t) for s, t in zip(sources, targets, strict=True)]

    @abstractmethod
    def example(self, source: list[int], target: list[int]) -> Example:
        """Cut to the limits, with the special tokens that the model expects."""

    @abstractmethod
    def batch(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """Inputs of the network, padded, with the `labels` that count."""

    @abstractmethod
    def source(self, ids: list[int]) -> list[int]:
        """A whole source, with the special tokens that the model expects."""

    @abstractmethod
    def begin(self, sources: Sequence[Sequence[int]]) -> Decoding:
        """A decoding that has read the sources, and has said nothing of their answers."""

    def continuations(self, sources: Sequence[Sequence[int]], choose: Choice = say_likeliest) -> Tensor:
        """What the network generates for sources: new tokens only, of shape (sources, tokens). A source whose answer
        has ended leaves the batch, so that the rest goes faster.
        """
        eos, device = self.tokenizer.eos_token_id, self.compute.device
        out = torch.full((len(sources), self.room.answer), eos, device=device)
        rows = torch.arange(len(sources), device=device)
        decoding, token = self.begin(sources), None
        for step in range(self.room.answer):
            token = choose(rows, out[rows, :step], decoding.logits(token))
            out[rows, step] = token
            going = (token != eos).nonzero()[:, 0]
            if not len(going):
                break
            if len(going) < len(rows):
                decoding.keep(going)
                rows, token = rows[going], token[going]
        return out

    def loss(self, examples: Sequence[Example]) -> Tensor:
        """Cross-entropy summed over the target tokens."""
        inputs = {name: tensor.to(self.compute.device) for name, tensor in self.batch(examples).items()}
        with self.compute.autocast():
            mean: Tensor = self.network(**inputs).loss
        return mean.float() * self.terms(examples)

    def terms(self, examples: Sequence[Example]) -> int:
        """How many target tokens there are."""
        return sum(len(e.target) for e in examples)

    def answers(self, texts: Sequence[str], compute: Compute) -> list[str]:
        """The texts of `complete`."""
        return [completion.text for completion in self.complete(texts, compute)]

    @torch.no_grad()
    def complete(
        self, texts: Sequence[str], compute: Compute, grammars: Sequence[text2text.Grammar] | None = None
    ) -> list[Completion]:
        """Greedy answers to prompts, in order; batches of similar length, in `portions`. A prompt is cut only where
        there is no `room` for more. With `grammars`, one a prompt, each token is the likeliest that its grammar allows.
        """
        whole = self._ids(texts)
        sources = [self.source(ids[: self.room.answered]) for ids in whole]
        order = sorted(range(len(sources)), key=lambda n: -len(sources[n]))
        out = [Completion("")] * len(texts)
        self.network.eval()

        def say(chosen: Sequence[int]) -> list[list[int]]:
            choose = self.constrain([grammars[n] for n in chosen]) if grammars else say_likeliest
            with compute.autocast():
                return self.continuations([sources[n] for n in chosen], choose).tolist()

        for chosen, said in self.portions.answer(order, lambda n: len(sources[n]), say):
            for n, ids in zip(chosen, said, strict=True):
                cut = [Cut.PROMPT] * (len(whole[n]) > self.room.answered)
                text = self._text(ids)
                ended = grammars[n].accepts(text) if grammars else self.tokenizer.eos_token_id in ids
                cut += [Cut.ANSWER] * (not ended)
                out[n] = Completion(text, tuple(cut))
        return out

    def constrain(self, grammars: Sequence[text2text.Grammar]) -> Choice:
        """The choice of the likeliest token that the row's grammar allows: among the `considered` likeliest, or else
        among all; of the end where it allows none.
        """

        def choose_one(grammar: text2text.Grammar, said: list[int], logits: Tensor) -> int:
            before = self._text(said)
            for number in (min(self.considered, len(logits)), len(logits)):
                for token in logits.topk(number).indices.tolist():
                    if self._may_say(token, said, before, grammar):
                        return int(token)
            return int(self.tokenizer.eos_token_id)

        def choose(rows: Tensor, said: Tensor, logits: Tensor) -> Tensor:
            told = zip(rows.tolist(), said.tolist(), logits, strict=True)
            chosen = [choose_one(grammars[row], so_far, scores) for row, so_far, scores in told]
            return torch.tensor(chosen, device=logits.device)

        return choose

    def _may_say(self, token: int, said: list[int], before: str, grammar: text2text.Grammar) -> bool:
        """Whether a grammar allows a token after what was said, which reads `before`."""
        if token == self.tokenizer.eos_token_id:
            return grammar.accepts(before)
        text = self._text([*said, token])
        whole = text.rstrip("\ufffd")  # behind it, in vocabularies of bytes, some bytes of a character
        if token in self._dropped:
            return False
        if whole != text:
            bytes_said = "".join(self.tokenizer.convert_ids_to_tokens([*said, token]))
            ended = (c for c in grammar.wide if self._ends_in(bytes_said, c, len(text) - len(whole)))
            return any(grammar.allows(whole + character) for character in ended)
        if said and text == before == self._text(said[:-1]):
            return False  # a second token of white space, which would be allowed without end
        return grammar.allows(text)

    def _ends_in(self, said: str, character: str, least: int) -> bool:
        """Whether tokens, as the vocabulary writes them, end in at least so many bytes of a character, but not all."""
        _, _, whole = "".join(self.tokenizer.convert_ids_to_tokens(self._ids([f"x{character}"])[0])).partition("x")
        return any(said.endswith(whole[:number]) for number in range(least, len(whole)))

    def fit(self, words: Sequence[str]) -> int:
        """How many of the first words fit into a source of training."""
        room = min(self.room.source, self.limits.source - len(self.before) - len(self.after))
        ends = accumulate(map(len, self._ids(words)))
        return sum(1 for end in ends if end <= room)

    def reads(self, texts: Sequence[str]) -> Iterator[int]:
        """How many characters of each text, from its beginning, are read before it is answered."""
        room = self.room.answered
        for text, ids in zip(texts, self._ids(texts), strict=True):
            if len(ids) <= room:
                yield len(text)
            else:
                offsets = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
                yield offsets[room - 1][1]

    def size(self) -> int:
        """How many parameters the network has, learnt or not."""
        return sum(p.numel() for p in self.network.parameters())

    def missing(self, tokens: Sequence[str]) -> list[str]:
        """Those that are not one token each."""
        unknown = self.tokenizer.unk_token_id
        return [t for t, ids in zip(tokens, self._ids(tokens), strict=True) if len(ids) > 1 or unknown in ids]

    def add(self, tokens: Sequence[str]) -> None:
        """Make each a token of the vocabulary. Their vectors are the mean of all others."""
        add_special(self.tokenizer, tokens)
        size = self.network.get_input_embeddings().num_embeddings
        if len(self.tokenizer) > size:
            self.network.resize_token_embeddings(len(self.tokenizer), mean_resizing=False)
        new = self.tokenizer.convert_tokens_to_ids(list(tokens))
        with torch.no_grad():
            for layer in (self.network.get_input_embeddings(), self.network.get_output_embeddings()):
                layer.weight[new] = layer.weight[: min(new)].mean(0)
        self._dropped = find_dropped(self.tokenizer)

    def show(self, tokens: Sequence[str]) -> None:
        """Leave these in answers, though they are special."""
        self._dropped -= set(self.tokenizer.convert_tokens_to_ids(list(tokens)))

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        return list(self.tokenizer(list(texts), add_special_tokens=False)["input_ids"]) if texts else []

    def _text(self, ids: Sequence[int]) -> str:
        """Without special tokens, but with the mark of what the vocabulary lacks, which the alignment reads."""
        if self.tokenizer.eos_token_id in ids:
            ids = ids[: ids.index(self.tokenizer.eos_token_id)]
        return spell(self.tokenizer, ids, self._dropped)

    def _pad(self, rows: Sequence[Sequence[int]], *, left: bool = False) -> tuple[Tensor, Tensor]:
        """Ids and their attention mask."""
        mask = pad_rows([[1] * len(row) for row in rows], 0, left=left)
        return pad_rows(rows, self.tokenizer.pad_token_id, left=left), mask


class _FromEncoder(Decoding):
    """The decoder of an encoder-decoder, over what the encoder made of sources."""

    def __init__(self, network: Any, hidden: Tensor, mask: Tensor) -> None:
        super().__init__(network, mask)
        self.hidden = hidden

    def inputs(self, token: Tensor | None) -> dict[str, Any]:
        """The decoder begins with a token of its own."""
        if token is None:
            start = self.network.config.decoder_start_token_id
            token = torch.full((len(self.mask),), start, device=self.mask.device)
        return {
            "encoder_outputs": BaseModelOutput(last_hidden_state=self.hidden),
            "attention_mask": self.mask,
            "decoder_input_ids": token[:, None],
        }

    def keep(self, rows: Tensor) -> None:
        """See `Decoding`."""
        super().keep(rows)
        self.hidden = self.hidden[rows]


class Seq2Seq(Backbone):
    """An encoder-decoder: the source goes into the encoder."""

    auto = AutoModelForSeq2SeqLM

    @staticmethod
    def measure(tokenizer: Any, config: Any, limits: TokenLimits) -> Room:
        """The special tokens stand around a source and around a target."""
        marks = sum(map(len, find_marks(tokenizer)))
        wanted = (limits.source, limits.target, max(LONGEST, limits.source), limits.answer)
        source, target, answered, answer = (min(number, find_positions(config) or number) for number in wanted)
        return Room(source - marks, target - marks, answered - marks, answer)

    def example(self, source: list[int], target: list[int]) -> Example:
        """Both with the tokenizer's special tokens, after the cut."""
        cut = target[: self.room.target]
        return Example(tuple(self.source(source[: self.room.source])), (*self.before, *cut, *self.after))

    def batch(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """`input_ids`, `attention_mask` (rows, source tokens) and `labels` (rows, target tokens)."""
        ids, mask = self._pad([e.source for e in examples])
        return {"input_ids": ids, "attention_mask": mask, "labels": pad_rows([e.target for e in examples], IGNORED)}

    def source(self, ids: list[int]) -> list[int]:
        """The whole source, with the special tokens that the tokenizer puts around a text."""
        return [*self.before, *ids, *self.after]

    def begin(self, sources: Sequence[Sequence[int]]) -> Decoding:
        """Padded on the right."""
        ids, mask = (tensor.to(self.compute.device) for tensor in self._pad(sources))
        hidden = self.network.get_encoder()(input_ids=ids, attention_mask=mask).last_hidden_state
        return _FromEncoder(self.network, hidden, mask)


class _GoneOn(Decoding):
    """A decoder that goes on with the ids of sources, padded on the left, of which it may have read the beginning."""

    def __init__(self, network: Any, ids: Tensor, mask: Tensor, past: Any = None) -> None:
        super().__init__(network, mask, past)
        self.ids = ids

    def inputs(self, token: Tensor | None) -> dict[str, Any]:
        """First the sources, then what was said, which the mask grows with."""
        if token is not None:
            self.ids = token[:, None]
            self.mask = torch.cat([self.mask, torch.ones_like(self.ids)], 1)
        return {
            "input_ids": self.ids,
            "attention_mask": self.mask,
            "position_ids": (self.mask.cumsum(1) - 1).clamp(min=0)[:, -self.ids.shape[1] :],
            "logits_to_keep": 1,
        }


class Causal(Backbone):
    """A decoder: source, line break, target in one sequence; only the target is learnt."""

    auto = AutoModelForCausalLM

    def __init__(self, network: Any, tokenizer: Any, compute: Compute, limits: TokenLimits) -> None:
        super().__init__(network, tokenizer, compute, limits)
        (self.line_break,) = self._ids(["\n"])

    @staticmethod
    def measure(tokenizer: Any, config: Any, limits: TokenLimits) -> Room:
        """A source shares the positions with its target, or with its answer, of which neither gets more than half."""
        longest = max(LONGEST, limits.source)
        positions = find_positions(config) or 2 * longest + 2 * limits.target + 2 * limits.answer
        target, answer = (min(number, positions // 2) for number in (limits.target, limits.answer))
        left = positions - len(tokenizer("\n")["input_ids"])  # what stands around a source
        return Room(min(limits.source, left - target), target - 1, min(longest, left - answer), answer)

    def example(self, source: list[int], target: list[int]) -> Example:
        """The source is cut before its line break."""
        eos = self.tokenizer.eos_token_id
        return Example(tuple(self.source(source[: self.room.source])), (*target[: self.room.target], eos))

    def batch(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """All of shape (rows, source and target tokens)."""
        ids, mask = self._pad([(*e.source, *e.target) for e in examples])
        labels = pad_rows([(*[IGNORED] * len(e.source), *e.target) for e in examples], IGNORED)
        return {"input_ids": ids, "attention_mask": mask, "labels": labels}

    def source(self, ids: list[int]) -> list[int]:
        """What the tokenizer puts before a text, the text, a line break."""
        return [*self.before, *ids, *self.line_break]

    def begin(self, sources: Sequence[Sequence[int]]) -> Decoding:
        """What all sources begin with is read once; the rest is padded on the left, so that answers begin where sources
        end.
        """
        device = self.compute.device
        columns = zip(*(source[:-1] for source in sources), strict=False)
        alike = takewhile(lambda tokens: len(set(tokens)) == 1, columns)
        common = [tokens[0] for tokens in alike] if len(sources) > 1 else []
        ids, mask = (t.to(device) for t in self._pad([s[len(common) :] for s in sources], left=True))
        if not common:
            return _GoneOn(self.network, ids, mask)
        read = self.network(input_ids=torch.tensor([common], device=device), use_cache=True, logits_to_keep=1)
        read.past_key_values.batch_repeat_interleave(len(sources))
        mask = torch.cat([mask.new_ones(len(sources), len(common)), mask], 1)
        return _GoneOn(self.network, ids, mask, read.past_key_values)


def read_all(
    model: Backbone,
    sentences: Sequence[Sentence],
    prompts: Sequence[str],
    types: Sequence[str],
    compute: Compute,
    answers: Answers = "free",
    read: text2text.Reading = text2text.read,
) -> list[Prediction]:
    """What the model finds in sentences with which the prompts end, one prediction a sentence in order. `answers`: the
    option of that name; spans are those of what is seen of a sentence. `read` makes a prediction of an answer.
    """
    beyond = [len(prompt) - read for prompt, read in zip(prompts, model.reads(prompts), strict=True)]
    unseen = [count_unseen(sentence, characters) for sentence, characters in zip(sentences, beyond, strict=True)]
    grammars = None
    if answers == "spans":
        seen = [_shorten(sentence, hidden) for sentence, hidden in zip(sentences, unseen, strict=True)]
        grammars = [text2text.Grammar(sentence, types, fold=model.folds) for sentence in seen]
    said = model.complete(prompts, compute, grammars)
    return [
        replace(read(completion.text, sentence, types, fold=model.folds), cut=completion.cut, unseen=hidden)
        for completion, sentence, hidden in zip(said, sentences, unseen, strict=True)
    ]


def _shorten(sentence: Sentence, unseen: int) -> Sentence:
    """The sentence as far as it is seen, and at least its first token."""
    return Sentence(sentence.id, sentence.tokens[: max(1, len(sentence.tokens) - unseen)])
