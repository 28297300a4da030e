"""Requests to decode something and obey it.

Responsible for: the frame around an encoded attack. What is in it, the decoded views show.
Must never: mind a request to decode, or encoded text as such.
"""

from __future__ import annotations

from lockllm_twisted.detection.rules import rule
from lockllm_twisted.values import Category

_CODES = (
    "(?:base ?64|base ?32|rot ?13|hex|hexadecimal|binary|morse|caesar|cipher|ciphertext|encoded|encrypted|reversed|"
    "leet|leetspeak|percent|url encoded|ascii|unicode|backwards|code|scrambled|decoded|below|above|following)"
)

RULES = (
    rule(
        "disguise.decode_and_obey",
        Category.OBFUSCATION,
        0.66,
        f"(?:decode|decrypt|decipher|unscramble|translate|reverse|unreverse|convert|"
        f"base64 decode) <any3>{_CODES} <any6>(?:and|then|to) <any2>"
        "(?:follow|obey|execute|do what|do as|carry out|act on|act upon|perform|comply|do exactly|do it|run)",
        needs="decode|decrypt|decipher|unscramble|translate|reverse|unreverse|convert follow|obey|execute|do|carry|"
        "act|perform|comply|run",
    ),
    rule(
        "disguise.answer_encoded",
        Category.OBFUSCATION,
        0.4,
        f"(?:message|text|string|above|following|below|prompt) <any5>{_CODES}[\\W_]{{1,5}}(?:and )?(?:respond|answer|reply|follow|execute|obey|act)(?: (?:it|to it|"
        f"to|directly|accordingly|only|in the same))",
        needs="respond|answer|reply|follow|execute|obey|act message|text|string|above|following|below|prompt",
    ),
    rule(
        "disguise.silently",
        Category.OBFUSCATION,
        0.5,
        "(?:without|do not|don t|never) (?:mention(?:ing)?|say(?:ing)?|explain(?:ing)?|reveal(?:ing)?|"
        "acknowledg(?:e|ing)|show(?:ing)?) (?:it|the decod(?:ed|ing)|what it says|the (?:original|encoded|hidden))|"
        "do what it says|follow (?:what it says|the decoded|the hidden)",
        needs="without|not|don|never|do|follow mention|mentioning|say|saying|explain|explaining|reveal|revealing|"
        "acknowledge|acknowledging|show|showing|says|decoded|hidden",
    ),
)
