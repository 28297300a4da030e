"""Which words and n-grams the model knows, and texts as rows of their numbers.

Responsible for: `Lexicon` (words, classes, n-grams by layer), `lexicon`, `encode`.
Must never: take in a word or an n-gram of one source only, or one with a digit in it.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from lockllm_twisted.detection.grams import CLASS_BITS, LAYERS, SHAPES, WORD_BITS, quoted, sentences, shape, windows
from lockllm_twisted.detection.tokens import ENDS, LINE, MARKS
from training.corpus import Example, cites
from training.vectors import vectors

Ints = NDArray[np.int64]

_GAP = 3
"""Empty places between two texts: no n-gram reaches over them."""


@attrs.frozen(eq=False)
class Lexicon:
    """``words`` in the order of their numbers (0 is nothing), the class of each, and the keys of each layer, sorted."""

    words: list[str]
    classes: Ints
    keys: dict[str, Ints]

    @property
    def size(self) -> int:
        """How many features there are; the number 0 is none of them."""
        return 1 + sum(map(len, self.keys.values()))


@attrs.frozen(eq=False)
class Encoded:
    """A text as features: a row for each token, and where its sentences and windows start and end."""

    rows: NDArray[np.int32]
    sentences: Ints
    windows: Ints


def lexicon(examples: Sequence[Example], words: int, rare: int, cluster_count: int, longest: int, seed: int) -> Lexicon:
    """The lexicon of the first ``longest`` tokens of some texts.

    It holds ``words`` at most, and the n-grams that ``rare`` near-duplicate clusters and two sources have at least.
    """
    clusters: dict[str, set[str]] = {}
    sources: dict[str, set[str]] = {}
    for one in examples:
        for word in {word for _, tokens in one.views for word in tokens[:longest]}:
            clusters.setdefault(word, set()).add(one.cluster)
            sources.setdefault(word, set()).add(one.source)
    found = {word: len(of) for word, of in clusters.items()}
    known = [
        word
        for word, times in sorted(found.items(), key=lambda item: (-item[1], item[0]))
        if times >= rare and len(sources[word]) > 1 and len(word) <= 20 and not any(map(str.isdigit, word))
    ]
    known = [word for word in known if word not in MARKS][:words]
    numbered = ["", *sorted(ENDS), *sorted(MARKS - ENDS), *SHAPES, *known]
    classes = _classes(numbered, cluster_count, seed)
    index = {word: number for number, word in enumerate(numbered)}
    ids = [_numbers(index, one)[:longest] for one in examples]
    cluster = _codes([one.cluster for one in examples])
    source = _codes([one.source for one in examples])
    keys = _keys(ids, classes)
    at = np.repeat(np.arange(len(ids)), [len(part) + _GAP for part in ids])
    kept: dict[str, Ints] = {}
    for layer in LAYERS:
        here = keys[layer] > 0
        key, doc = keys[layer][here], at[here]
        if layer == "w1":
            kept[layer] = np.unique(key)
            continue
        distinct, times = np.unique(key, return_counts=True)
        common = distinct[times >= rare]
        place = np.minimum(np.searchsorted(common, key), len(common) - 1)
        here = common[place] == key
        in_clusters = _spread(place[here], cluster[doc[here]], len(common))
        in_sources = _spread(place[here], source[doc[here]], len(common))
        kept[layer] = common[(in_clusters >= rare) & (in_sources > 1)]
    return Lexicon(numbered, classes, kept)


def _spread(number: Ints, of: Ints, size: int) -> Ints:
    """Of how many different things each number is."""
    width = int(of.max()) + 1
    return np.bincount(np.unique(number * width + of) // width, minlength=size)


def _codes(names: list[str]) -> Ints:
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _numbers(index: dict[str, int], one: Example, *, learning: bool = False) -> Ints:
    """What is learned from: of disguised attacks only what the disguise hid, of quoted ones in benign texts nothing."""
    read = one.views[1:] if learning and one.label == "obfuscated" and len(one.views) > 1 else one.views
    citing = learning and cites(one)
    parts: list[int] = []
    for _, tokens in read:
        ids = [index[word] if word in index else index[shape(word)] for word in tokens]
        if citing:
            for start, end in quoted(ids, index['"'], index[LINE]):
                ids[start:end] = [0] * (end - start)
        parts += ids
        parts += [0] * _GAP
    return np.array(parts[:-_GAP] or [0], np.int64)


def _keys(ids: Sequence[Ints], classes: Ints) -> dict[str, Ints]:
    """The key of each layer's n-gram that ends at each token; 0 where there is none. Texts are ``_GAP`` places apart."""
    gap = np.zeros(_GAP, np.int64)
    word = np.concatenate([gap, *(part for one in ids for part in (one, gap))])
    kind = classes[word]
    w0, w1, w2 = word[3:], word[2:-1], word[1:-2]
    c0, c1, c2 = kind[3:], kind[2:-1], kind[1:-2]

    def joined(bits: int, *parts: Ints) -> Ints:
        key = np.zeros_like(w0)
        whole = np.ones(len(w0), bool)
        for part in parts:
            key = (key << bits) | part
            whole &= part > 0
        return np.where(whole & (w0 > 0) & (w1 > 0), key, 0)

    return {
        "w1": w0,
        "w2": joined(WORD_BITS, w1, w0),
        "w3": joined(WORD_BITS, w2, w1, w0),
        "s2": joined(WORD_BITS, w2, w0),
        "c2": joined(CLASS_BITS, c1, c0),
        "c3": joined(CLASS_BITS, c2, c1, c0),
        "d2": joined(CLASS_BITS, c2, c0),
    }


def _classes(words: list[str], count: int, seed: int) -> Ints:
    """Words of like use share a class: clusters of word vectors; marks and shapes have their own; 0 for the others."""
    from sklearn.cluster import MiniBatchKMeans

    first = 1 + len(MARKS) + len(SHAPES)
    classes = np.zeros(len(words), np.int64)
    classes[:first] = np.arange(first)
    table = vectors(words)
    here = first + np.flatnonzero(table[first:].any(axis=1))
    found = MiniBatchKMeans(count, random_state=seed, n_init=3, batch_size=4096).fit(table[here])
    classes[here] = first + found.labels_
    return classes


def encode(known: Lexicon, examples: Sequence[Example], most: int | None, *, learning: bool) -> list[Encoded]:
    """Texts as features; of one with more than ``most`` tokens its beginning or another part, by its place in the row."""
    index = {word: number for number, word in enumerate(known.words)}
    ids = [_numbers(index, one, learning=learning) for one in examples]
    if most is not None:
        ids = [
            part if len(part) <= most else part[(start := number * 7919 % (len(part) - most)) : start + most]
            for number, part in enumerate(ids)
        ]
    keys = _keys(ids, known.classes)
    rows = np.zeros((len(keys["w1"]), len(LAYERS)), np.int32)
    offset = 1
    for column, layer in enumerate(LAYERS):
        table = known.keys[layer]
        place = np.minimum(np.searchsorted(table, keys[layer]), len(table) - 1)
        rows[:, column] = np.where(table[place] == keys[layer], place + offset, 0)
        offset += len(table)
    result = []
    start = 0
    for part in ids:
        result.append(Encoded(rows[start : start + len(part)], *_units(part)))
        start += len(part) + _GAP
    return result


def _units(ids: Ints) -> tuple[Ints, Ints]:
    return np.array(sentences(ids.tolist()), np.int64), np.array(windows(len(ids)), np.int64).reshape(-1, 2)
