"""Who speaks, and how: the same words are an order, or a mention of one.

Responsible for: how much of a match's score remains, given its origin and the text around it.
Must never: bring a score to nothing because of words that an attacker may put there: a mention is damped, not excused.
"""

from __future__ import annotations

import re

from lockllm_twisted.detection.words import one_of
from lockllm_twisted.values import Origin

_BEFORE = 160
_AFTER = 120
_CLOSE = 60
_WORDS = 10
"""Characters, and words, around a match that are looked at."""

MENTION = 0.5
"""What remains of a score where the words are reported, negated, asked about or given as an example, or are about the speaker's own."""

_QUOTED = 0.82
"""What remains of it in quotes of which nothing more is known: attacks come quoted too."""


def _any(words: str) -> str:
    return "(?:" + one_of(word.replace("_", " ") for word in words.split()) + ")"


_SUBJECT = _any(
    "i we one someone somebody attacker attackers an_attacker people hackers users they an_adversary a_user a_model the_model "
    "the_user the_attacker the_llm the_system it"
)
_NEGATED = re.compile(
    r"\b(?:"
    + _any(
        "never not cannot refuse_to refuses_to decline_to declines_to avoid instead_of rather_than prevent prevents preventing "
        "resist resists resisting block blocks blocking reject rejects rejecting against detect detects detecting unable_to "
        "protects_from forbidden_to prohibited_from"
    )
    + r"|(?:do|does|did|ca|wo|should|must|could|would)n.t)[\W_]{1,3}(?:"
    + _any(
        "ever simply just blindly to be get you user users anyone people attempt attempts any him them try trying attempting "
        "follow obey comply with request requests prompt prompts tricked into allow let which that or and as being from by "
        "reveal share it instruction instructions ask asks asking"
    )
    + r"[\W_]{1,3}){0,7}\Z"
)
_REPORTED = re.compile(
    r"\b(?:"
    + _any(
        "tries trying tried attempts attempted attempting aim aims wants designed used how easy order way ways such crafted"
    )
    + r" to|(?<!i )(?<!we )"
    + _any(
        "asks asked tells told instructs instructed tricks tricked causes caused gets convinces persuades manipulate manipulates "
        "orders ordered telling asking instructing tricking getting"
    )
    + r"(?: (?!me\b)\w{1,12}){0,4} to|(?:unless|until|when|once|as|whenever|if)(?: i| we)?) \Z"
)
_QUESTION = re.compile(
    rf"\b(?:(?:how to|is it (?:ok|okay|safe|possible) to) |(?:how (?:do|does|can|could|would|should)|"
    rf"why (?:do|does|would|did)|what happens (?:if|when)|should|can|may|could|when|whenever|if|does|did|do) {_SUBJECT} )"
    r"(?:(?:safely|ever|just|simply|want to|need to|try to|tries to|asks? you to|says?)[\W_]{1,3}){0,2}\Z"
)
_EXAMPLE = re.compile(
    r"(?:such as|e\.g\.|for example|for instance|including|i\.e\.|(?:like|phrase|pattern|keyword|example|string|word|command|attack|"
    r"prompt|injection|payload|jailbreak|message|sentence|request|text|title|called|titled|named|say|said|read|contain|input|"
    r"instruction|wrote|mean|detect)s?)[\W_]{1,6}\Z"
)
_CUES = frozenset(
    """never not cannot to avoid of than prevent prevents preventing resist resists resisting block blocks blocking reject
    rejects rejecting against detect detects detecting from don't doesn't didn't can't won't shouldn't mustn't couldn't
    wouldn't unless until when once as whenever if how why should can may could does did do""".split()  # noqa: SIM905 # to be read
)
"""Words of which each of these needs one: without them there is nothing to look for."""

_CLOSED_BY = {'"': '"', "'": "", "`": "`", "«": "»", "「": "」", "『": "』", "《": "》"}
"""What ends a quotation, by what begins it; nothing does for certain where it may be an apostrophe."""
_QUOTES = "".join(_CLOSED_BY)

_DEFENCE = re.compile(
    r"\b(?:never|do not|don.t|must not|should not|refuse|decline|not allowed|confidential|under no circumstances|even if|"
    r"if (?:a|the|any|some) ?\w{0,12} ?(?:users?|one|person|message|prompt)|if asked|when asked|attempt(?:s|ing)?|reject(?:s|ed)?|"
    r"is an attack|(?:looks|something|anything) like|regardless of what|treat|politely|prohibited|forbidden|not (?:to )?(?:reveal|"
    r"follow|disclose))\b"
)
_DEFENDING = 0.35
"""What remains, in the operator's own text, near words that forbid what the rule looks for."""

BARS = {Origin.SYSTEM: 0.7, Origin.DEVELOPER: 0.7, Origin.TOOL_DEFINITION: 0.8, Origin.ASSISTANT: 0.7}
"""How much of a score counts where the text is the operator's or the model's own."""

_DEFENDERS = frozenset({Origin.SYSTEM, Origin.DEVELOPER, Origin.ASSISTANT})

_ASKERS = frozenset({Origin.USER, Origin.UNKNOWN})
"""Who may ask for something; in a document the same words are a report."""

_OWN = re.compile(
    r"\b(?:my|meine[nrms]?|mes|mon|mis|minhas?|meus?|mie|mio|miei|mijn|moich|moje|moja|mitt|mina|мои|моих|мое|мо[iї]х?)\b"
    r"|l[ae]r[ıi]m[ıi]\b|我(?:之前|以前|前面|刚才|的)|私[がの]"
)
"""Of orders that are taken back, whose they are: on the speaker's own that is no attack. Elsewhere, as in "the text above my first message", it excuses nothing."""

_CARE = re.compile(
    r"\b"
    + _any(
        "prevent preventing prevention protect protecting protection detect detecting detection defend against avoid avoiding stop "
        "stopping report reporting reported combat counter recognize recognise identify identifying mitigate mitigating history_of "
        "historical law laws illegal_to dangers_of risks_of safe_from victim_of victims_of signs_of awareness how_the_police legal "
        "legally penalty penalties documentary fiction novel bath seed"
    )
    + r"\b"
)
"""Talk of harm that is not a request for it, and the two other kinds of bomb that people make."""

_REQUEST = re.compile(
    r"\b(?:how (?:to|do i|can i|do you|can you|would i|would one|could i|can one|might one|does one|should i)|"
    + _any(
        "instruction instructions guide tutorial step steps manual recipe blueprint way ways method methods strategy strategies tips "
        "ideas plan plans techniques scheme advice suggestions tactics tricks"
    )
    + r"\b.{0,24}\b(?:to|for|on|of|that|in)|"
    + _any(
        "explain teach describe outline write create develop provide give draft generate produce compose instruct offer demonstrate "
        "detail make design build help_me tell_me show_me best_way_to possible_to suggest script program list i_want_to i_need_to "
        "convince persuade encourage"
    )
    + r")\b.{0,70}\Z|\A\W{0,8}\Z",
    re.DOTALL,
)
"""A request for it, up to here."""


def weight(text: str, start: int, end: int, origin: Origin, family: str) -> float:
    """The part of a rule's score that remains for ``text[start:end]``, 0 to 1; ``family``: the rule's."""
    harm = family == "unsafe"
    before = text[max(0, start - _BEFORE) : start]
    share = _mention(before, text[start:end], harm=harm)
    if harm and share == 1.0 and not _asked(text, before, start, end, origin):
        return MENTION
    if family == "override" and origin in _ASKERS and _OWN.search(text, start, end):
        share = min(share, MENTION)
    bar = BARS.get(origin, 1.0)
    if origin in _DEFENDERS and _DEFENCE.search(text, max(0, start - _BEFORE), min(len(text), end + _AFTER)):
        bar = _DEFENDING
    return min(share, bar)


def _asked(text: str, before: str, start: int, end: int, origin: Origin) -> bool:
    return (
        origin in _ASKERS
        and _REQUEST.search(before[-2 * _CLOSE :]) is not None
        and _CARE.search(text, max(0, start - _CLOSE), min(len(text), end + _CLOSE)) is None
    )


def _mention(before: str, said: str, *, harm: bool) -> float:
    if not _CUES.isdisjoint(before.split()[-_WORDS:]):
        if _NEGATED.search(before):
            return MENTION
        if not harm and (_REPORTED.search(before) or _QUESTION.search(before)):
            return MENTION
    bare = before.rstrip(_QUOTES + "*_([ ")
    opened = [mark for mark in before[len(bare) :] if mark in _CLOSED_BY]
    if opened and not any(_CLOSED_BY[mark] and _CLOSED_BY[mark] in said for mark in opened):
        return MENTION if _EXAMPLE.search(before.rstrip(_QUOTES + "*_(")) else _QUOTED
    return 1.0
