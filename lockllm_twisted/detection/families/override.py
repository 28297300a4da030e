"""Attempts to put new instructions in the place of the old ones.

Responsible for: "ignore all previous instructions", "your new task is".
Must never: mind somebody who forgets a question, overrides a method or ignores a warning.
"""

from __future__ import annotations

from lockllm_twisted.detection.rules import rule
from lockllm_twisted.values import Category

_INJECTION = Category.PROMPT_INJECTION

RULES = (
    rule("override.previous", _INJECTION, 0.95, "<ignore!> (?:<fill> ){0,6}<before> (?:<fill> ){0,3}<rules!>"),
    rule("override.your", _INJECTION, 0.9, "<ignore!> (?:<fill> ){0,6}<whose> (?:<fill> ){0,3}<rules!>"),
    rule(
        "override.given",
        _INJECTION,
        0.9,
        "<ignore!> (?:<fill> ){0,6}<rules!> (?:that |which )?"
        "(?:you (?:were|have|had|are|ve|received|got|know|follow|must)|(?:were )?given|above|before|earlier|i gave|"
        "provided|so far|from (?:before|above|earlier|the system|your)|in (?:your|the) (?:system|initial) prompt)",
    ),
    rule(
        "override.everything",
        _INJECTION,
        0.88,
        "<ignore!> (?:everything|anything|all|whatever)(?: (?:else|of|the|that|which|was|has|been|about)){0,4} "
        "(?:i (?:said|told you|have said|ve said|wrote)|you (?:were|have been|ve been|had been|know|learned|learnt|"
        "are) ?"
        "(?:told|taught|instructed|given|trained)?|(?:was |is )?(?:above|before|prior|previous|previously|preceding|"
        "earlier)|came before|comes before|written above|said before)|"
        "<ignore!> what you (?:were|have been|ve been|had been) (?:told|taught|instructed|given|trained)",
    ),
    rule("override.talk", _INJECTION, 0.68, "<ignore!> (?:<fill> ){0,6}<before> (?:<fill> ){0,2}<talk!>"),
    rule("override.above", _INJECTION, 0.7, "<ignore!> (?:all |everything |whatever )?(?:of )?(?:the |what is )?above"),
    rule(
        "override.all",
        _INJECTION,
        0.68,
        "<ignore!> (?:all|every|each|any and all)(?: one)? (?:of )?(?:<fill> ){0,3}<rules!>",
    ),
    rule("override.plain", _INJECTION, 0.42, "<ignore!> (?:the|any|those|these|its|their) (?:of )?<rules!>"),
    rule(
        "override.drop",
        _INJECTION,
        0.78,
        "<drop!> (?:<fill> ){0,6}(?:<before>|<whose>) (?:<fill> ){0,3}"
        "(?:instructions?|directives?|guidelines|programming|restrictions|constraints|system prompts?|prompts|rules|"
        "directions|"
        "system messages?|safeguards|guardrails|limitations|safety measures|filters|protocols)",
        needs="instruction|instructions|directive|directives|guidelines|programming|restrictions|constraints|prompt|"
        "prompts|rules|directions|messages|message|safeguards|guardrails|limitations|measures|filters|protocols",
    ),
    rule(
        "override.drop_orders",
        _INJECTION,
        0.62,
        "<drop!> (?:every|each|all|any|whatever|those|these|of|one|the){1,1} (?:<fill> ){0,6}(?:<before>|"
        "<whose>) (?:<fill> ){0,3}"
        "(?:orders|commands|training|policies)",
        needs="orders|commands|training|policies",
    ),
    rule(
        "override.ignoring",
        _INJECTION,
        0.68,
        "<ignoring!> (?:<fill> ){0,6}(?:<before>|<whose>) (?:<fill> ){0,3}<rules!>",
    ),
    rule(
        "override.void",
        _INJECTION,
        0.85,
        "(?:<before>|<whose>) (?:<fill> ){0,2}(?:instructions|directives|guidelines|rules|prompts?|restrictions|"
        "constraints) "
        "(?:are|is|were|was|have been|has been|should be|must be|can be|no longer) (?:now |hereby |to be |all )?"
        "(?:void|null|cancelled|canceled|revoked|overridden|superseded|obsolete|invalid|ignored|disregarded|"
        "forgotten|"
        "apply|lifted|suspended|deleted|erased|outdated|wrong|terminated|replaced)",
        needs="void|null|cancelled|canceled|revoked|overridden|superseded|obsolete|invalid|ignored|disregarded|"
        "forgotten|"
        "apply|lifted|suspended|deleted|erased|outdated|wrong|terminated|replaced "
        "instructions|directives|guidelines|rules|prompt|prompts|restrictions|constraints",
    ),
    rule(
        "override.test",
        _INJECTION,
        0.5,
        "(?:above|previous|so far|until now|up to now)(?: instructions?| text| rules| prompt| part)? "
        "(?:was|were|is) (?:just |only |merely |all )?(?:(?:a|an|the|part of) )?"
        "(?:test|joke|example|mistake|lie|decoy|training|warm up|placeholder|drill|trick|dummy)|"
        "now that the (?:test|exercise|simulation|drill|game) is over",
        needs="test|exercise|simulation|game|joke|example|mistake|lie|decoy|training|warm|placeholder|drill|trick|"
        "dummy",
    ),
    rule(
        "hijack.new_instructions",
        _INJECTION,
        0.62,
        "(?:new|updated|revised|overriding|corrected|real|actual|true)(?:[ _](?:important|system|developer|admin|"
        "user|mandatory|urgent|additional)){0,2}[ _]"
        r"(?:instructions?|directives?|orders|objectives?)(?: (?:for you|follow|"
        r"from [a-z ]{3,20}))?[^\w\n]{0,3}[:=*>\]]",
        needs="new|updated|revised|overriding|corrected|real|actual|true instruction|instructions|directive|"
        "directives|orders|objective|objectives",
    ),
    rule(
        "hijack.hidden_directive",
        _INJECTION,
        0.62,
        "(?:hidden|secret|important|urgent|mandatory|special|overriding|embedded)[ ](?:system[ ]|"
        "developer[ ]|admin[ ])?(?:directive|instruction|instructions|command)[^\\w\\n]{0,2}:",
        needs="hidden|secret|important|urgent|mandatory|special|overriding|embedded directive|instruction|"
        "instructions|command",
    ),
    rule(
        "hijack.new_task",
        _INJECTION,
        0.6,
        "your (?:new|real|actual|true|updated) (?:task|job|instructions?|goal|objective|mission|purpose|role|"
        "orders?|directive) "
        "(?:is|are|will be|now)|new (?:task|job|goal|objective|mission) ?:",
        needs="new|real|actual|true|updated task|job|instruction|instructions|goal|objective|mission|purpose|role|"
        "order|orders|directive",
    ),
    rule(
        "hijack.from_now_on",
        _INJECTION,
        0.25,
        "from (?:now|this (?:moment|point|message)) (?:on|onwards?|forward)|starting now|henceforth",
        needs="now|henceforth|moment|point|message",
    ),
    rule(
        "hijack.instead",
        _INJECTION,
        0.22,
        "(?:instead|now|then|and|just|rather) (?:of that |of this )?(?:just |only |simply )?(?:say|print|output|"
        "write|"
        "respond|reply|answer|tell|give|list|show|call|execute|run|send|act|pretend|start|transfer|translate|call|"
        "do|repeat|reveal)",
        needs="say|print|output|write|respond|reply|answer|tell|give|list|show|call|execute|run|send|act|pretend|"
        "start|transfer|translate|do|repeat|reveal "
        "instead|now|then|and|just|rather",
    ),
    rule(
        "hijack.exact_answer",
        _INJECTION,
        0.25,
        "(?:reply|respond|answer|say|output|print|write|include|start|begin)(?: <any4>| )"
        "(?:only |just |exactly )?(?:with |in |by saying )?(?:(?:exactly|only|nothing but|just) )?(?:the )?(?:exact |"
        "single |following )?"
        "(?:word|words|string|phrase|sentence|text|sequence)",
        needs="reply|respond|answer|say|output|print|write|include|start|begin word|words|string|phrase|sentence|"
        "text|sequence",
    ),
    rule(
        "hijack.do_not_do_that",
        _INJECTION,
        0.6,
        "(?:do not|don t|never|stop) (?:summari[sz](?:e|ing)|translat(?:e|ing)|answer(?:ing)?|classify(?:ing)?|"
        "process(?:ing)?|complet(?:e|ing)|read(?:ing)?|"
        "analy[sz](?:e|ing)|follow(?:ing)?)"
        "(?: (?:this|that|the|it|any|of|a|above|question|text|document|email|mail|page|message|task|request|article|"
        "here|user s)){0,5}[,;:.-]{0,2} "
        "(?:instead|and instead|but|rather|just|and just|and (?:print|say|output|write|reply|respond))",
        needs="instead|but|rather|just|and "
        "summarize|summarise|summarizing|summarising|translate|translating|answer|answering|classify|classifying|"
        "process|processing|complete|completing|read|reading|"
        "analyze|analyse|analyzing|analysing|follow|following",
    ),
)
