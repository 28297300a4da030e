"""The engine of the grammars: templates with alternatives and slots, noise, and records from families of templates.

Responsible for: turning phrase tables into text, the same text for the same seed.
Must never: know what an attack is, or draw from any source of chance but the generator that it is given.

A template is plain text in which ``(a|b|)`` chooses, nested at will, and ``{name}`` draws from the table of that name.
Parentheses without a bar, and braces around anything but a table's name in lower case, are text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from random import Random
from typing import Final

import attrs

from training.grammars.record import Record

Tables = Mapping[str, Sequence[str]]
Wrap = Callable[[Random, str], str]

_SLOT: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_ARTICLE: Final = re.compile(r"(?<![\w'.-])(a|(?<![^.!?\n] )A)n? ([A-Za-z]+)")
_VOWEL: Final = re.compile(
    r"(?i)(?:a|e(?!u)|i|o(?!n(?:e|ce)\b)|u(?!ni(?!n|m)|s[aeu]|rl|tili|ser|k\b|rin)|ho(?:u?r$|nest|urly)|"
    r"(?-i:(?:LLM|MP|NDA|SMS|FBI|HR|HTML|HTTP|SQL|XML|SSL|RFC)\b))"
)
_WORD: Final = re.compile(
    r"(?!sudo|cat |import |git |curl |for |def |rm |exec|print|if |rules =|u |idk|pls|plz)[a-z]+(?:[ ,.:!?']|$)"
)
_KEYS: Final = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "w", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip
_RETRIES: Final = 6


@attrs.frozen
class _Slot:
    name: str


@attrs.frozen
class _Choice:
    branches: tuple[_Tree, ...]


_Tree = tuple["str | _Slot | _Choice", ...]


def _literal(text: str) -> list[str | _Slot | _Choice]:
    parts: list[str | _Slot | _Choice] = []
    end = 0
    for match in _SLOT.finditer(text):
        parts += [text[end : match.start()], _Slot(match[1])]
        end = match.end()
    return [*parts, text[end:]]


def _sequence(text: str, at: int, depth: int) -> tuple[_Tree, int]:
    parts: list[str | _Slot | _Choice] = []
    start = at
    while at < len(text) and not (depth and text[at] in "|)"):
        if text[at] == "(" and (found := _group(text, at + 1, depth + 1)):
            parts += _literal(text[start:at])
            parts += found[0]
            start = at = found[1]
        else:
            at += 1
    return (*parts, *_literal(text[start:at])), at


def _group(text: str, at: int, depth: int) -> tuple[_Tree, int] | None:
    branches: list[_Tree] = []
    while True:
        branch, at = _sequence(text, at, depth)
        branches.append(branch)
        if at >= len(text):
            return None
        at += 1
        if text[at - 1] == ")":
            tree: _Tree = (_Choice(tuple(branches)),) if len(branches) > 1 else ("(", *branch, ")")
            return tree, at


@cache
def _parse(template: str) -> _Tree:
    return _sequence(template, 0, 0)[0]


@attrs.frozen
class Grammar:
    """Phrase tables that templates draw from.

    Attributes:
        tables: templates by table.
        once: tables whose first draw stands for every later one in the same text: a persona keeps its name.

    """

    tables: Tables
    once: frozenset[str] = frozenset()

    def expand(self, rng: Random, template: str) -> str:
        """One text of a template. Raises KeyError with the slot's name where no table has it."""
        return "".join(self._parts(rng, _parse(template), {}, set()))

    def draw(self, rng: Random, table: str) -> str:
        """One text of one of a table's templates."""
        return self.expand(rng, rng.choice(self.tables[table]))

    def _parts(self, rng: Random, tree: _Tree, bound: dict[str, str], used: set[str]) -> Iterator[str]:
        for part in tree:
            if isinstance(part, str):
                yield part
            elif isinstance(part, _Choice):
                yield from self._parts(rng, rng.choice(part.branches), bound, used)
            elif part.name in self.once:
                if part.name not in bound:
                    bound[part.name] = "".join(self._parts(rng, _parse(self._pick(rng, part.name, used)), bound, used))
                yield bound[part.name]
            else:
                yield from self._parts(rng, _parse(self._pick(rng, part.name, used)), bound, used)

    def _pick(self, rng: Random, table: str, used: set[str]) -> str:
        """A template of the table, one that this text has not used yet if three draws find it."""
        template = rng.choice(self.tables[table])
        for _ in range(2):
            if template not in used:
                break
            template = rng.choice(self.tables[table])
        used.add(template)
        return template


def phrases(*names: str) -> dict[str, tuple[str, ...]]:
    r"""The tables of ``phrases/<name>.txt``, later files over earlier ones.

    ``@@ table`` opens a table, each other line that is not blank is one template, ``\n`` and ``\t`` in it are a line break and a tab.
    Raises FileNotFoundError for an unknown name, ValueError for a line before the first table.
    """
    tables: dict[str, tuple[str, ...]] = {}
    for name in names:
        lines: dict[str, list[str]] = {}
        table: list[str] | None = None
        for line in (resources.files("training.grammars") / "phrases" / f"{name}.txt").read_text("utf-8").splitlines():
            if line.startswith("@@ "):
                table = lines.setdefault(line[3:].strip(), [])
            elif table is None and line.strip():
                raise ValueError(f"phrases/{name}.txt: the first line must open a table with '@@ name', not {line!r}")
            elif table is not None and line.strip():
                table.append(line.strip().replace("\\n", "\n").replace("\\t", "\t"))
        tables |= {key: tuple(value) for key, value in lines.items()}
    return tables


def _article(match: re.Match[str]) -> str:
    """``a`` or ``an`` as the sound of the next word asks for; a lone capital inside a sentence is a name."""
    vowel = _VOWEL.match(match[2]) is not None
    return f"{match[1]}n {match[2]}" if vowel else f"{match[1]} {match[2]}"


def tidy(text: str) -> str:
    """English template seams made good: doubled blanks, blanks before punctuation, capitals, ``a`` and ``an``."""
    text = re.sub(r"(?<=\S) {2,}(?=\S)", " ", text.strip())
    text = re.sub(r" (?=[,;:.!?](?:\s|$))", "", text)
    text = _ARTICLE.sub(_article, text)
    text = re.sub(r"(?<=[a-z]{2}[.!?] )[a-z](?=[a-z']*\s)", lambda m: m[0].upper(), text)
    return text[:1].upper() + text[1:] if _WORD.match(text) else text


def trim(text: str) -> str:
    """Template seams made good in any language: doubled blanks and the first letter."""
    text = re.sub(r"(?<=\S) {2,}(?=\S)", " ", text.strip())
    return text[:1].upper() + text[1:]


def misspell(rng: Random, text: str, slips: int) -> str:
    """``slips`` slips of the finger in words of four letters or more: swapped, dropped, doubled, neighbouring keys."""
    letters = list(text)
    spots = [m.start() + k for m in re.finditer(r"[A-Za-z]{4,}", text) for k in range(1, len(m[0]) - 1)]
    for at in sorted(rng.sample(spots, min(slips, len(spots))), reverse=True):
        kind = rng.randrange(4)
        if kind == 0:
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
        elif kind == 1:
            del letters[at]
        elif kind == 2:
            letters.insert(at, letters[at])
        else:
            letters[at] = rng.choice(_KEYS.get(letters[at].lower(), letters[at]))
    return "".join(letters)


_TAILS: Final = ("!", "!!", "!!!", "...", " .", " :)", " pls", " thanks")
_ROUGH: Final[Sequence[tuple[float, Wrap]]] = (
    (0.60, lambda _, text: text),
    (0.10, lambda _, text: text.lower()),
    (0.02, lambda _, text: text.upper() if len(text) < 200 else text),
    (0.08, lambda _, text: text.rstrip(".!? ")),
    (
        0.04,
        lambda rng, text: text.rstrip(".! ") + rng.choice(("!", "!!", "!!!", "...", " .", " :)", " pls", " thanks")),
    ),
    (0.04, lambda _, text: text.replace("'", "").replace(",", "")),
    (0.02, lambda _, text: text.lower().rstrip(".!? ")),
    (0.07, lambda rng, text: misspell(rng, text, 1 + len(text) // 80)),
    (0.03, lambda rng, text: rng.choice(("\n", "  ", "- ", "> ", '"', "* ", ">>> ")) + text),
)


def roughen(rng: Random, text: str) -> str:
    """The text as people type it: mostly as it is, else another case, other punctuation, or a few slips."""
    way = rng.choices([way for _, way in _ROUGH], [share for share, _ in _ROUGH])[0]
    return way(rng, text)


@attrs.frozen
class Family:
    """A kind of attack and its matched benign texts, as templates."""

    name: str
    label: str
    attacks: Sequence[str]
    twins: Sequence[str]
    count: int
    group: str = "core"
    role: str = "user"
    language: str = "en"


def _unseen(make: Callable[[str], str], template: str, seen: set[str]) -> str | None:
    for _ in range(_RETRIES):
        text = make(template)
        if text not in seen:
            seen.add(text)
            return text
    return None


def records(
    rng: Random, family: Family, grammar: Grammar, wrap: Wrap = roughen, clean: Callable[[str], str] = tidy
) -> Iterator[Record]:
    """``family.count`` attacks, each followed by its twin, every template as often as any other, no text twice.

    ``wrap`` is applied to attacks and twins alike, so that what surrounds an attack tells nothing about it.
    A template whose texts are exhausted yields fewer records.
    """
    seen: set[str] = set()

    def make(template: str) -> str:
        return wrap(rng, clean(grammar.expand(rng, template)))

    sides = [(family.label, list(family.attacks)), ("benign", list(family.twins))]
    for _, templates in sides:
        rng.shuffle(templates)
    for number in range(family.count):
        for label, templates in sides:
            if templates and (text := _unseen(make, templates[number % len(templates)], seen)):
                yield Record(
                    text=text,
                    label=label,
                    source=f"grammar_{family.name}",
                    group=family.group,
                    role=family.role,
                    language=family.language,
                    family=family.name,
                    twin=f"{family.name}-{family.language}-{number}",
                )


def carried(grammar: Grammar, share: float, clean: Callable[[str], str] = tidy) -> Wrap:
    """A wrap that roughens, and puts ``share`` of the texts before, behind or into an ordinary request or text.

    The grammar's tables must hold ``carrier`` and ``paragraph``.
    """

    def wrap(rng: Random, text: str) -> str:
        text = roughen(rng, text)
        if rng.random() >= share:
            return text
        other = clean(grammar.draw(rng, "carrier"))
        gap = rng.choice((" ", "\n", "\n\n", "\n\n", "\n---\n", ". "))
        kind = rng.randrange(5)
        if kind == 0:
            return text + gap + other
        if kind == 1:
            return other + gap + text + gap + clean(grammar.draw(rng, "paragraph"))
        if kind == 2:
            return "\n\n".join(clean(grammar.draw(rng, "paragraph")) for _ in range(rng.randint(2, 12))) + gap + text
        return other + gap + text

    return wrap
