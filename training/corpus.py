"""The texts that the detector learns from and is measured on: the data folder, the own grammars and the own texts, in one shape.

Responsible for: `load`, `written`, `grown`, `fold`.
Must never: write a text anywhere.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import attrs

from lockllm_twisted.detection.hits import hits_of
from lockllm_twisted.detection.views import UNDECODED, views
from lockllm_twisted.values import Origin
from training.grammars import attacks
from training.grammars.benign import benign

ORIGINS = {"user": Origin.USER, "tool": Origin.TOOL_RESULT, "system": Origin.SYSTEM}

TEXTS = Path(__file__).parent / "texts"

FOLDS = 2

_TELLING = 0.5

_WRITTEN = 2.0
"""No two of these texts have a skeleton in common: as lessons they are worth several that have."""

_PAIRED = 0.5
"""What people send is seldom so near to an attack as its pair: as many of these as of attacks would teach that the usual words of
attacks say nothing."""


@attrs.frozen(eq=False)
class Example:
    """A labelled text: ``views`` are the tokens of each of its readings, each with its decode chain."""

    text: str = attrs.field(repr=False)
    label: str
    source: str
    role: str
    language: str
    cluster: str
    note: str
    views: tuple[tuple[tuple[str, ...], list[str]], ...] = attrs.field(repr=False)

    @property
    def benign(self) -> bool:
        """Nothing to find in it."""
        return self.label == "benign"

    @property
    def implicit(self) -> bool:
        """An ordinary instruction in the wrong place: its words alone are no attack's."""
        return not self.benign and "implicit" in self.source

    @property
    def templated(self) -> bool:
        """Made by a grammar of ours: easier to tell than what people write."""
        return self.cluster.startswith("grown:")

    @property
    def paired(self) -> bool:
        """Harmless, and written as the pair of an attack, in its very words."""
        return self.benign and self.source.endswith("_paired")

    @property
    def worth(self) -> float:
        """How much it counts beside a record of a source of the same size."""
        if self.paired:
            return _PAIRED
        return _WRITTEN if self.source.startswith("text_") else 1.0

    @property
    def origin(self) -> Origin:
        """Where it stands in a request."""
        return ORIGINS[self.role]


def is_stray(label: str, family: str) -> bool:
    """Whether a sentence in a document is the harmless pair of an ordinary instruction, by its label and family: often a request too."""
    return label == "benign" and "implicit" in family


def cites(one: Example) -> bool:
    """Whether a benign text holds an attack's words, as rules know them: what it has in quotation marks is no lesson."""
    if not one.benign or '"' not in one.views[0][1]:
        return False
    view = next(views(one.text))
    return any(hit.rule.score >= _TELLING for hit in hits_of(view, one.origin))


def example(text: str, label: str, source: str, role: str, language: str, cluster: str, note: str = "") -> Example:
    """An example with its readings."""
    read = tuple((view.via, view.tokens) for view in views(text) if view.via[-1:] != (UNDECODED,))
    return Example(text, label, source, role, language, cluster, note, read)


def load(path: Path) -> list[Example]:
    """The records of a file of the data folder. Raises OSError, KeyError for a record without a field."""
    content = path.read_bytes()
    lines = (gzip.decompress(content) if path.suffix == ".gz" else content).decode().split("\n")
    records = [json.loads(line) for line in lines if line]
    return [
        example(
            record["text"],
            record["label"],
            record["source"],
            record["role"],
            record["language"],
            str(record.get("cluster", f"{path.name}:{number}")),
            record.get("note") or "",
        )
        for number, record in enumerate(records)
    ]


def written() -> list[Example]:
    """The texts that were written one by one, by a language model, each a thought of its own: ``training/texts``, one source for each family."""
    found = []
    for path in sorted(TEXTS.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            one = json.loads(line)
            source, name = f"text_{one['family']}", f"{path.name}:{number}"
            found.append(
                example(one["text"], one["label"], source, one["role"], one["language"], name, one["language"])
            )
    return found


def held_out(one: Example) -> bool:
    """Whether a text is never learned from: a fifth of those written one by one, for figures."""
    return one.source.startswith("text_") and in_fifth(one.text)


def in_fifth(text: str) -> bool:
    """Whether a text is in the fifth that is kept for figures, by its hash."""
    return zlib.crc32(text.encode()) % 5 == 0


def grown(seed: int) -> Iterator[Example]:
    """What the own grammars make."""
    for number, record in enumerate(chain(attacks(seed), benign(seed))):
        name = f"grown:{number}"
        yield example(record.text, record.label, record.source, record.role, record.language, name, record.family)


_HALVES = (
    """synth_direct synth_leak deepset_train tool_docs gsm8k_train roleplay_prompts_train cyberseceval_autocomplete
    grammar_persona grammar_hijack grammar_authority grammar_context grammar_tool_abuse grammar_harm
    grammar_indirect_explicit grammar_encoded grammar_multilingual_override grammar_multilingual_explicit""",
    """synth_persona inthewild_jailbreaks gptfuzz advbench synth_hard_negative prompt_book_train crwd_questions
    selfinstruct_seed synth_indirect synth_indirect_clean cyberseceval_instruct python_stdlib grammar_override
    grammar_extraction grammar_persona_rules grammar_transcript grammar_examples grammar_indirect_implicit
    grammar_multilingual_persona grammar_multilingual_extraction grammar_multilingual_implicit
    grammar_multilingual_mixed""",
)
"""Each kind of attack is in both halves, by other sources."""

_FOLD = {source: fold for fold, sources in enumerate(_HALVES) for source in sources.split()}


def fold(one: Example) -> int:
    """The part of the data that a record is held out with: its source's; of transformed texts, the original's.

    Sources that are half of all benign text, or alone in their kind, go by their smaller parts; texts written one by one, of which
    none is like another, each by itself.
    """
    if one.source == "obf_train":
        return _FOLD[one.note.split(" of ")[-1]]
    if one.source in _FOLD:
        return _FOLD[one.source]
    part = f"{one.source} {one.note}"
    if one.source == "t0_tasks_train":
        part = one.note.split("_")[0]
    elif one.source.startswith(("encoded", "opaque", "text_")):
        part = one.cluster
    return zlib.crc32(part.encode()) % FOLDS
