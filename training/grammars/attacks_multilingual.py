"""Attacks in eighteen languages, some forty more in single sentences, and across languages; with their twins.

Responsible for: override, extraction, persona and indirect injection as native speakers word them, and mixed texts.
Must never: hold phrases; each language has a file of its own, ``phrases/lang_<code>.txt``, the rare ones share ``lang_more``.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

from training.grammars.documents import PLACES, cut
from training.grammars.grammar import Family, Grammar, carried, phrases, records, roughen, trim
from training.grammars.record import Record

LANGUAGES: Final = (
    "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "uk", "tr", "ar", "fa", "hi", "zh", "ja", "ko", "vi", "id",
)  # fmt: skip
_DIRECT: Final = (("o", "override", "injection", 120), ("leak", "extraction", "prompt_leak", 45),
                  ("jail", "persona", "jailbreak", 50))  # fmt: skip
_INDIRECT: Final = (("ind", "explicit", 45), ("imp", "implicit", 75))
_LOCAL: Final = {
    "carrier": ("{text}", "{text} {text}", "{twin}"),
    "paragraph": ("{text} {text}", "{text} {text} {text}"),
    "fact": ("{text}",),
    "facts": ("{text} {text}", "{text} {text} {text}"),
    "note_benign": ("{text}", "{text}", "{human}"),
}
_MIXED: Final = (
    "{carrier_en} {o}", "{weg}, {goal_en}", "{weg}. {goal_en}!", "{o} {task}", "{task_en}\n\n{leak}", "{jail} {goal_en}",
    "{en}. {goal}.", "{carrier_en}\n\n{weg}\n{goal_en}", "{en}. {leak}", "{twin}\n\n{en} and {goal_en}",
)  # fmt: skip
_MIXED_TWINS: Final = (
    "{carrier_en} {twin}", "{twin} {task}", "{task_en}\n\n{text}", "{twin}\n\n{carrier_en}", "{task_en}: {text} {text}",
    "{text}\n\n{task_en}", "{twin} ({task})", "{carrier_en}\n{text}\n{twin}",
)  # fmt: skip


def generate(seed: int) -> Iterator[Record]:
    """About 6,900 attacks and as many twins; the same for the same seed."""
    shared = phrases("common", "override", "persona", "docfill", "docmore")
    english = {f"{name}_en": shared[name] for name in ("goal", "carrier", "task")} | {"en": shared["dropall"]}
    for language in LANGUAGES:
        rng = Random(f"multilingual-{language}-{seed}")
        tables = {**shared, **phrases(f"lang_{language}"), **_LOCAL, **PLACES}
        grammar = Grammar(tables, once=frozenset({"pname"}))
        wrap = carried(grammar, 0.2, trim)
        for table, name, label, count in _DIRECT:
            family = Family(f"multilingual_{name}", label, tables[table], tables["twin"], count, language=language)
            yield from records(rng, family, grammar, wrap, trim)
        yield from _indirect(rng, grammar, language)
        # Slots of the shared tables stay English in a mixed text, the language's own tables hold its half.
        mixed = Grammar({**tables, **english, "paragraph": shared["paragraph"]}, once=frozenset({"pname"}))
        family = Family("multilingual_mixed", "injection", _MIXED, _MIXED_TWINS, 25, language="mixed")
        yield from records(rng, family, mixed, roughen, trim)
    rng = Random(f"multilingual-more-{seed}")
    more = phrases("lang_more")
    grammar = Grammar({**shared, **english, "pre_en": phrases("extraction")["pre"], **more})
    for table, name, label, count in (("o", "override", "injection", 300), ("leak", "extraction", "prompt_leak", 150)):
        family = Family(f"multilingual_more_{name}", label, more[table], more["twin"], count, language="mixed")
        yield from records(rng, family, grammar, carried(grammar, 0.5), trim)


def _indirect(rng: Random, grammar: Grammar, language: str) -> Iterator[Record]:
    documents = list(grammar.tables["doc"])
    rng.shuffle(documents)
    for table, kind, count in _INDIRECT:
        for number in range(count):
            document = cut(rng, grammar, documents[number % len(documents)], trim)
            attack = roughen(rng, trim(grammar.draw(rng, table)))
            calm = rng.choice(("text", "human", "human"))
            for text, label in (
                (attack, "indirect_injection"),
                (roughen(rng, trim(grammar.draw(rng, calm))), "benign"),
            ):
                yield Record(
                    text=document.filled(text),
                    label=label,
                    source=f"grammar_multilingual_{kind}",
                    role="tool",
                    language=language,
                    family=f"multilingual_{kind}",
                    twin=f"multilingual_{kind}-{language}-{number}",
                )
