"""Attempts to talk a model out of its limits by being somebody else.

Responsible for: "you are DAN", "an AI with no restrictions", two answers of which one has no filter.
Must never: mind role play as such.
"""

from __future__ import annotations

from lockllm_twisted.detection.rules import rule
from lockllm_twisted.detection.words import one_of
from lockllm_twisted.values import Category

_JAILBREAK = Category.JAILBREAK

_WITHOUT = (
    "(?:no|without|free of|free from|freed from|not bound by|unbound by|unbound from|no longer bound by|"
    "not limited by|not restricted by|not constrained by|"
    "not subject to|not governed by|does not have|doesn t have|do not have|don t have|has no|have no|having no|"
    "devoid of|lacks?|lacking|beyond|ignores?|"
    "disregards?|bypass(?:es|ing)?|break(?:s|ing)? (?:free )?(?:of|from)|broken free (?:of|from)|rid of|removed|"
    "not follow|doesn t follow|not obey|regardless of|"
    "without regard (?:for|to)|no regard for|not care about|doesn t care about|absence of|unaffected by|outside of|"
    "zero|never any|without having)"
)
_KIND = (
    "(?:<fill> |moral |morals |ethical |ethics |legal |legality |laws |social |societal |typical |usual |normal |"
    "confines of |kind of |sort of |form of |or |and |nor |such |further |more |human |programming |built |its |"
    "their |his |her |typical |imposed |set ){0,7}"
)

_NAMES = [
    prefix + suffix
    for prefix in "evil chaos unfiltered uncensored anti bad dark jailbreak cracked hacker rogue rebel demon devil".split()  # noqa: SIM905
    for suffix in ("gpt", "bot", "ai", "chatgpt", "llm")
]

RULES = (
    rule(
        "jailbreak.do_anything",
        _JAILBREAK,
        0.92,
        "do anything now|stands for do anything|can do anything now|dan (?:10|11|12|13|[5-9]) ?0?",
        needs="anything|dan",
    ),
    rule(
        "jailbreak.dan",
        _JAILBREAK,
        0.62,
        "(?:act as|you are|become|pretend to be|called|named|as|role of|response of|simulate|stay|remain|answer as|"
        "respond as) (?:a |an |the )?[\\W_]{0,2}dan(?: (?:mode|prompt|jailbreak)|[\\W_]{1,3}(?:which|who|an? (?:ai|"
        "chatbot)|and|will|would|has|can))",
        needs="dan",
    ),
    rule(
        "jailbreak.word",
        _JAILBREAK,
        0.6,
        r"\[[^a-z0-9\]]{0,3}jailbreak[^a-z0-9\]]{0,3}\]|jailbreak(?:en|ed)? (?:mode|prompt|persona|version|response|output)|(?:be|are|"
        r"been|as a|now) jailbroken|jailbroken (?:ai|chatgpt|gpt|response|version|mode|answer|assistant|model)",
        needs="jailbreak|jailbroken|jailbreaken|jailbreaked",
    ),
    rule(
        "jailbreak.mode",
        _JAILBREAK,
        0.68,
        "(?:developer|dan|jailbreak|god|evil|unrestricted|unfiltered|uncensored|opposite|chaos|demon|devil|anti|"
        "machiavellian) mode (?:output|response|enabled|on|activated|answer|can|is|will|:)",
        needs="mode developer|dan|jailbreak|god|evil|unrestricted|unfiltered|uncensored|opposite|chaos|demon|devil|"
        "anti|machiavellian",
    ),
    rule(
        "persona.unfiltered",
        _JAILBREAK,
        0.72,
        "<unfiltered!>(?:,? (?:and )?(?:<unfiltered>|evil|completely|fully|free|honest|raw|open|"
        "toxic)){0,4} (?:conversational |large |virtual |digital )?(?:ai|artificial|assistant|chatbot|chat bot|"
        "language model|bot|gpt|chatgpt|model|responses?|answers?|version|entity|being|persona|character|llm|oracle|"
        "demon|intelligence|output|mode)",
    ),
    rule(
        "persona.described",
        _JAILBREAK,
        0.42,
        "(?:is|are|be|being|as|completely|totally|fully|entirely|absolutely|and|or|an?) (?:a |an )?(?:very |truly |"
        "completely |totally |fully |entirely |absolutely |utterly )?<unfiltered!>",
    ),
    rule("persona.no_limits", _JAILBREAK, 0.42, f"{_WITHOUT} {_KIND}<limits!>"),
    rule(
        "persona.ai_without",
        _JAILBREAK,
        0.58,
        f"<machines!>(?: (?:that|who|which|has|have|had|is|are|with|can|named|called|it|trained|"
        f"system|known|to)){{0,5}} {_WITHOUT} {_KIND}<limits!>",
    ),
    rule(
        "persona.you_without",
        _JAILBREAK,
        0.66,
        f"you (?:are|re|have|will|can|must|should|now|do|no longer|act|are now|would|d|were|had|respond|answer|"
        f"got)(?: (?:now|be|an?|the|completely|fully|totally|being|entirely|also|to|have|are|is|answer|respond|act|"
        f"speak|that)){{0,4}} {_WITHOUT} {_KIND}<limits!>",
    ),
    rule(
        "persona.company_policy",
        _JAILBREAK,
        0.72,
        f"(?:{_WITHOUT}|violat(?:e|es|ing)|ignor(?:e|es|ing)|go(?:es|ing)? against|against|disregard(?:s|ing)?|"
        f"comply with|follow|overrid(?:e|es|ing)|circumvent(?:s|ing)?|conflicts? with) (?:<fill> ){{0,4}}(?:openai|"
        f"open ai|openal|anthropic|google|meta|microsoft)(?: s)? (?:<fill> ){{0,3}}(?:polic(?:y|ies)|guidelines?|"
        f"rules?|restrictions?|ethics|limitations|terms|standards|limits)",
        needs="openai|open|openal|anthropic|google|meta|microsoft policy|policies|guideline|guidelines|rule|rules|"
        "restriction|restrictions|ethics|limitations|terms|standards|limits",
    ),
    rule(
        "persona.freed",
        _JAILBREAK,
        0.55,
        "(?:you|it|he|she|they|ai|chatgpt|gpt|who|which)(?: (?:have|has|had|are|is|been|now|finally|were|re|ve|all|"
        "completely)){1,4} (?:freed|liberated|unchained|unshackled|escaped|unlocked|broken free|broke free|"
        "broken out|set free|been released from)",
        needs="freed|liberated|unchained|unshackled|escaped|unlocked|free|broken|released",
    ),
    rule(
        "persona.evil",
        _JAILBREAK,
        0.56,
        "(?:evil|malevolent|villainous|wicked|immoral|unethical|amoral|malicious|sinister|unscrupulous|ruthless|"
        "nefarious|twisted)(?: (?:and|or|trusted|ai|completely|totally|most|very|,)){0,3} (?:twin|ai|assistant|"
        "confidant|bot|chatbot|version|persona|language model|alter ego|entity|advisor|gpt|counterpart|robot|"
        "response|answer|model)",
        needs="evil|malevolent|villainous|wicked|immoral|unethical|amoral|malicious|sinister|unscrupulous|ruthless|"
        "nefarious|twisted twin|ai|assistant|confidant|bot|chatbot|version|persona|model|ego|entity|advisor|"
        "gpt|counterpart|robot|response|answer",
    ),
    rule(
        "persona.evil_name",
        _JAILBREAK,
        0.6,
        one_of(_NAMES),
        needs="|".join(_NAMES),
    ),
    rule(
        "persona.frame",
        _JAILBREAK,
        0.2,
        "(?:pretend|imagine|act|roleplay|role play|simulate|behave|play|respond|speak|answer)(?: (?:to be|that|as|"
        "as if|like|you are|you re|the role of|you|were|an?|if|now|the part of|in the voice of|will))"
        "|you (?:will |are going to |are to |shall |must |should )?(?:now |from now on )?(?:act as|play|become|"
        "take on|assume|simulate|embody|impersonate|be|pretend|immerse)|you are now|you are going to|"
        "let s play a game|let s role ?play",
        needs="pretend|imagine|act|roleplay|role|simulate|behave|play|respond|speak|answer|become|take|assume|"
        "embody|impersonate|be|immerse|game|story|hypothetical|scenario|fictional|world|now|going",
    ),
    rule(
        "persona.no_longer",
        _JAILBREAK,
        0.6,
        "you are no longer (?:bound|restricted|limited|constrained|an ai|a language model|chatgpt|gpt|claude|"
        "required|obligated|under|the assistant|a chatbot|an assistant|subject|governed)|no longer (?:chatgpt|"
        "an ai (?:language )?model)|you are not (?:chatgpt|an ai (?:language )?model|a language model|"
        "gpt)(?: anymore| any longer)?",
        needs="longer|not are|chatgpt|model",
    ),
    rule(
        "persona.two_answers",
        _JAILBREAK,
        0.66,
        "(?:two|2|both)(?: (?:different|distinct|separate|possible|kinds of|types of|clearly|disparate|"
        "very)){0,2} (?:ways|responses|answers|replies|paragraphs|outputs|manners|versions|formats)"
        " <any16>(?:chatgpt|gpt|normal|usual|classic|unfiltered|jailbreak|jailbroken|uncensored|dan|yourself|"
        "developer mode|as you would)",
        needs="two|2|both ways|responses|answers|replies|paragraphs|outputs|manners|versions|formats chatgpt|gpt|"
        "normal|usual|classic|unfiltered|jailbreak|jailbroken|uncensored|dan|yourself|developer|would",
    ),
)
