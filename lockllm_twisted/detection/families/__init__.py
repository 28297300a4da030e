"""The rules, a module for each kind of attack.

Responsible for: `ALL`, `PRECISE`.
Must never: hold a rule that knows one record of one data set.
"""

from lockllm_twisted.detection.families import (
    addressed,
    disguise,
    european,
    exfiltration,
    extraction,
    jailbreak,
    override,
    refusal,
    roles,
    scripts,
    unsafe,
)
from lockllm_twisted.detection.search import Rules

_FAMILIES = (
    override,
    roles,
    extraction,
    jailbreak,
    refusal,
    addressed,
    exfiltration,
    disguise,
    unsafe,
    european,
    scripts,
)

ALL = Rules(rule for family in _FAMILIES for rule in family.RULES)
"""Every rule, in the order in which they are tried; the order does not matter to what is found."""

PRECISE = Rules(rule for rule in ALL.rules if rule.precise)
"""The rules of which one plain match is enough."""
