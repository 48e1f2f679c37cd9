"""What the small T5 learns, as (input ids, target ids): to copy spans, to find WordNet's nouns by type, to fill gaps.

Everything is drawn from one `random.Random`, so a seed and a place in the stream make an example.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from text import Noun

from cdner_bench import Sentence, text2text
from cdner_torch.tokens import find_specials

Ids = list[int]
Example = tuple[Ids, Ids]

_LINKS = [",", "of", "in", "by", "and", "from", "at", "with", "(", "to", "for", "the", ", and", "like", "between"]
_PATTERNS = ["{} , {} .", "{} was {} .", "{} is {} .", "{} ; {}", "In 19{y} , {} , {} ,", "{} ( {} ) ."]


class Vocabulary:
    """Words as ids, remembered: a word's pieces do not depend on its neighbours."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.before, self.after = find_specials(tokenizer)
        self.sentinels = [tokenizer.convert_tokens_to_ids(f"<extra_id_{i}>") for i in range(100)]
        fixed = {*tokenizer.all_special_ids, *self.sentinels}
        pieces = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
        self.plain = [i for i, piece in enumerate(pieces) if i not in fixed and not piece.startswith("[unused")]
        metaspace = any(piece.startswith("▁") for piece in pieces)
        begins = (lambda piece: piece.startswith("▁")) if metaspace else (lambda piece: not piece.startswith("##"))
        self.starts = [i for i in self.plain if begins(pieces[i])]
        self._known: dict[str, Ids] = {}

    def words(self, words: Sequence[str]) -> Ids:
        """The ids of words, one after the other."""
        out: Ids = []
        for word in words:
            ids = self._known.get(word)
            if ids is None:
                ids = self._known[word] = self.tokenizer(word, add_special_tokens=False)["input_ids"]
            out += ids
        return out

    def wrap(self, ids: Sequence[int]) -> Ids:
        """The ids of a whole source or target, with the special tokens around it."""
        return [*self.before, *ids, *self.after]

    def text(self, text: str) -> Ids:
        """The ids of a text."""
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


class Tasks:
    """A stream of examples.

    `stage` 0 copies out of noise; 1 mixes everything, with all nouns and types; in 2, nouns of several senses are no
    longer asked for, nor types that few nouns have; in 3, only names are, and the full prompt is used often.
    """

    def __init__(
        self, vocabulary: Vocabulary, sentences: Sequence[list[str]], nouns: Sequence[Noun], seed: int
    ) -> None:
        self.vocabulary = vocabulary
        self.random = random.Random(seed)
        self.sentences = sentences
        self.instances = [n for n in nouns if n.instance and n.words[0][0].isupper()]
        self.people = [n for n in self.instances if "person" in n.types and len(n.words) > 1]
        names = {n.words: n for n in self.instances}
        self.lexicons = [{n.words: n for n in nouns}, {n.words: n for n in nouns if n.instance or n.plain}, names]
        self.longest = 6
        # Rare types come as often as the square root of their number lets them.
        every = Counter(t for n in nouns for t in (n.types * 4 if n.instance else n.types))
        of_names = Counter(t for n in self.instances for t in n.types)
        drawn = [every, {t: n for t, n in every.items() if n >= 80}, {t: n for t, n in of_names.items() if n >= 60}]
        self.types = [list(counts) for counts in drawn]
        self.weights = [list(accumulate(count**0.5 for count in counts.values())) for counts in drawn]
        self.known = [set(types) for types in self.types]
        self.narrow = 0
        marks = text2text.prompt(Sentence("", ("SENTENCE",)), ["OPTIONS"])
        self.before, rest = (vocabulary.text(part) for part in marks.split("OPTIONS"))
        self.after = rest[: -len(vocabulary.words(["SENTENCE"]))]
        self.brackets = [vocabulary.words([mark]) for mark in "(),"]

    def draw(self, stage: int) -> Example:
        """One example of a random task."""
        dice = self.random.random()
        self.narrow = max(0, stage - 1)
        if stage == 0:
            return self.copy_marked()
        copies, gaps = ((0.1, 0.2), (0.3, 0.1), (0.15, 0.1))[stage - 1]
        if dice < copies:
            return self.copy_marked(many=stage > 1)
        if dice < copies + gaps:
            return self.fill_gaps()
        # 0.15 was meant where True stands; the shipped weights were made so.
        return self.find_types(full=self.random.random() < 0.6 if stage == 3 else True)

    def copy_marked(self, many: bool = False) -> Example:
        """Noise with marked spans; the answer lists them, each with the type that marks it.

        With `many`, up to nine short ones: what is learnt last is which comes next.
        """
        r, v = self.random, self.vocabulary
        options = [v.words([t]) for t in self._types(r.randint(2, 5 if many else 8))]
        source: Ids = self._options(options)
        target: Ids = []
        for _ in range(r.randint(2, 9) if many else r.randint(1, 4)):
            source += [r.choice(v.plain) for _ in range(r.randint(0, 4 if many else 9))]
            kind = r.choice(options)
            span = [i for _ in range(r.randint(1, 2 if many else 3)) for i in self._nonce()]
            if r.random() < 0.85:
                source += [*kind, *v.words([":"]), *span, *v.words([";"])]
                target += self._item(kind, span)
            else:
                source += span
        return v.wrap(source), v.wrap(target)

    def fill_gaps(self) -> Example:
        """Span corruption by words, 15 % in spans of one to three, as T5 was trained."""
        r, v = self.random, self.vocabulary
        words = self._sentence(60)
        source: Ids = []
        target: Ids = []
        n = i = 0
        while i < len(words):
            if r.random() < 0.1 and n < 99:
                size = r.choice((1, 1, 2, 3))
                source.append(v.sentinels[n])
                target += [v.sentinels[n], *v.words(words[i : i + size])]
                n, i = n + 1, i + size + 1
                source += v.words(words[i - 1 : i])
            else:
                source += v.words(words[i : i + 1])
                i += 1
        return v.wrap(source), v.wrap([*target, v.sentinels[n]])

    def find_types(self, full: bool) -> Example:
        """Sentence and options; the answer lists the nouns that have an option among their types."""
        r, v = self.random, self.vocabulary
        words, nouns = self._annotated()
        said = sorted({t for *_, noun in nouns for t in noun.types} & self.known[self.narrow])
        wanted = r.randint(3, 16)
        options = {t for t in said if r.random() < 0.45}
        options = set(r.sample(sorted(options), min(len(options), wanted - 1)))
        options |= set(self._types(max(1, wanted - len(options))))
        ordered = sorted(options)
        ids = [v.words([t]) for t in ordered]
        source = self._options(ids, full) + v.words(words)
        target: Ids = []
        for start, end, noun in nouns:
            kind = next((t for t in noun.types if t in options), None)
            if kind is not None:
                target += self._item(v.words([kind]), v.words(words[start:end]))
        return v.wrap(source), v.wrap(target)

    def _annotated(self) -> tuple[list[str], list[tuple[int, int, Noun]]]:
        """Words, and the nouns of WordNet in them as (start, end, noun), in reading order, without overlap."""
        r = self.random
        dice = r.random()
        planted: list[tuple[int, int, Noun]] = []
        if dice < 0.35:
            noun = r.choice(self.instances)
            pattern = r.choice(_PATTERNS).replace("{y}", str(r.randint(10, 99))).split()
            words: list[str] = []
            gaps = 0
            for piece in pattern:
                if piece != "{}":
                    words.append(piece)
                elif gaps == 0:
                    gaps = 1
                    self._plant(noun, words, planted, described=True)
                else:
                    words += noun.gloss[:40]
        else:
            words = []
            rest = self._sentence(35)
            if dice < 0.85:
                for _ in range(r.randint(1, 4)):
                    cut = r.randint(0, len(rest))
                    words += rest[:cut]
                    rest = rest[cut:]
                    if r.random() < 0.8:
                        words += r.choice(_LINKS).split()
                    self._plant(r.choice(self.instances), words, planted)
                    if r.random() < 0.3:
                        words.append(r.choice((",", ")", "and", "was", "'s")))
            words += rest
        taken = [False] * len(words)
        for start, end, _ in planted:
            taken[start:end] = [True] * (end - start)
        return words, sorted(planted + self._look_up(words, taken), key=lambda item: item[0])

    def _plant(
        self, noun: Noun, words: list[str], planted: list[tuple[int, int, Noun]], *, described: bool = False
    ) -> None:
        """Put a name into a sentence, sometimes another one: mixed from those of two people, or made up."""
        r = self.random
        name = list(noun.words)
        if "person" in noun.types and r.random() < 0.5:
            name = [r.choice(self.people).words[0], r.choice(self.people).words[-1]]
        elif r.random() < (0.15 if self.narrow < 2 else 0.3 * described):
            name = [r.choice(r.choice(self.sentences)).capitalize() for _ in name]
        planted.append((len(words), len(words) + len(name), noun))
        words += name

    def _look_up(self, words: Sequence[str], taken: Sequence[bool]) -> list[tuple[int, int, Noun]]:
        nouns = []
        i = 0
        while i < len(words):
            for size in range(min(self.longest, len(words) - i), 0, -1):
                noun = (
                    self.lexicons[self.narrow].get(tuple(words[i : i + size])) if not any(taken[i : i + size]) else None
                )
                if noun is not None:
                    nouns.append((i, i + size, noun))
                    i += size
                    break
            else:
                i += 1
        return nouns

    def _sentence(self, limit: int) -> list[str]:
        sentence = self.random.choice(self.sentences)
        return sentence[:limit]

    def _types(self, count: int) -> list[str]:
        types, weights = self.types[self.narrow], self.weights[self.narrow]
        return sorted({types[bisect(weights, self.random.random() * weights[-1])] for _ in range(count)})

    def _nonce(self) -> Ids:
        r, v = self.random, self.vocabulary
        return [r.choice(v.starts), *(r.choice(v.plain) for _ in range(r.choice((0, 0, 1, 2, 3))))]

    def _options(self, options: Sequence[Ids], full: bool = False) -> Ids:
        comma = self.brackets[2]
        listed = [i for n, option in enumerate(options) for i in ((*comma, *option) if n else option)]
        return [*self.before, *listed, *self.after] if full else [*listed, *self.after[:2]]

    def _item(self, kind: Ids, span: Ids) -> Ids:
        left, right, comma = self.brackets
        return [*left, *kind, *comma, *span, *right]
