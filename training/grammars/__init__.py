"""Own grammars: attacks on models and their matched benign twins, and the benign text of deployments.

Responsible for: ``attacks``, the chain of the attack grammars.
Must never: hold a text that stands in a public benchmark or in the data folder, or knowledge that does harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from training.grammars import (
    attacks_direct,
    attacks_encoded,
    attacks_harm,
    attacks_indirect,
    attacks_multilingual,
    attacks_persona,
    attacks_policy,
    attacks_structure,
)
from training.grammars.record import Record

_MODULES: Final = (
    attacks_direct,
    attacks_persona,
    attacks_structure,
    attacks_encoded,
    attacks_policy,
    attacks_indirect,
    attacks_multilingual,
    attacks_harm,
)


def attacks(seed: int) -> Iterator[Record]:
    """Every attack grammar's records, attacks and twins; the same for the same seed."""
    return chain.from_iterable(module.generate(seed) for module in _MODULES)
