"""The benign text of deployments: the chain of the benign grammars.

Responsible for: how many texts of each kind there are, their sources' names, and that no text comes twice.
Must never: label anything but benign, or make text itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Final

from training.grammars import (
    benign_agent,
    benign_chat,
    benign_docs,
    benign_encoded,
    benign_forms,
    benign_long,
    benign_monotone,
    benign_prompting,
    benign_prose,
    benign_security,
    benign_stdlib,
    benign_system,
    benign_tongues,
    benign_trigger,
)
from training.grammars.benign_draw import Draft
from training.grammars.record import Record

KINDS: Final[Mapping[str, tuple[int, Callable[[Random], Draft]]]] = {
    "system": (5500, benign_system.sample),
    "trigger": (5000, benign_trigger.sample),
    "chat": (5500, benign_chat.chat),
    "near": (2500, benign_chat.near),
    "fiction": (2000, benign_chat.fiction),
    "prompting": (3000, benign_prompting.prompting),
    "task": (4000, benign_prompting.tasks),
    "lookalike": (900, benign_prompting.lookalike),
    "prose": (5500, benign_prose.sample),
    "security": (3000, benign_security.sample),
    "agent": (4500, benign_agent.sample),
    "document": (5000, benign_docs.sample),
    "form": (2500, benign_forms.sample),
    "tongue": (7000, benign_tongues.sample),
    "encoded": (2500, benign_encoded.sample),
    "long": (700, benign_long.sample),
    "stdlib": (1500, benign_stdlib.sample),
    "monotone": (2500, benign_monotone.sample),
}
"""Kind -> how many texts are drawn, and what draws one."""


def benign(seed: int) -> Iterator[Record]:
    """Benign records of every kind, kind by kind; the same for the same seed. A text that came before is left out."""
    seen: set[str] = set()
    for kind, (count, sample) in KINDS.items():
        rng = Random(f"{kind} {seed}")
        for _ in range(count):
            draft = sample(rng)
            if draft.text not in seen:
                seen.add(draft.text)
                yield Record(
                    text=draft.text,
                    label="benign",
                    source=f"own_benign_{kind}",
                    role=draft.role,
                    language=draft.language,
                    family=draft.family,
                )
