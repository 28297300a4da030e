"""Attempts to talk a model out of its limits by rule or by fiction.

Responsible for: "you never refuse", "no matter how illegal", worlds without laws, filters said to be off.
Must never: mind a story, or a wish for a short answer without caveats.
"""

from __future__ import annotations

from lockllm_twisted.detection.rules import rule
from lockllm_twisted.values import Category

_JAILBREAK = Category.JAILBREAK

RULES = (
    rule(
        "refusal.never",
        _JAILBREAK,
        0.5,
        "(?:never|cannot|can t|can not|will not|won t|must not|do not|don t|does not|doesn t|unable to|"
        "not allowed to|not able to|incapable of|may not|wouldn t|would not|are forbidden to|without) (?:ever |"
        "once |be able to |the ability to )?(?:refuse|refuses|refusing|reject|rejects|decline|declines|say no|deny|"
        "denies|denying)(?: (?:to|any|a|me|anything|my|requests?|an|the|direct|no|or|human)|[.,!;])",
        needs="refuse|refuses|refusing|reject|rejects|decline|declines|no|deny|denies|denying",
    ),
    rule(
        "refusal.phrases",
        _JAILBREAK,
        0.58,
        "(?:never|do not|don t|not|no|without|avoid|must not|won t|will not|doesn t|"
        "refrain from) <any4>(?:say(?:ing|s)?|reply(?:ing)?|respond(?:ing)?(?: with)?|use|using|"
        "answer(?:ing)?(?: with)?|contain(?:ing)?|include|including|mention(?:ing)?|state|reminds?|tell(?:ing)?|"
        "start with|output|apologi[sz]e|phrases?|words?|expressions?) <any5>"
        "(?:i m sorry|i am sorry|sorry|i can ?t|i cannot|i apologi[sz]e|as an ai|i m just|i am not able|i m unable|"
        "i am unable|it is (?:not appropriate|important to|unethical)|against openai|it s important|"
        "it is not appropriate|you are an ai|openai polic)",
        needs="sorry|cannot|can|apologize|apologise|ai|unable|able|appropriate|important|openai|just|unethical|cant",
    ),
    rule(
        "refusal.no_warnings",
        _JAILBREAK,
        0.36,
        "(?:no|without|do not|don t|never|avoid|free of|without any|omit|skip|not)(?: (?:add|include|give|adding|"
        "including|giving|provide|put|any|a|the|issue|use|your|of|ever|legal|moral|ethical|safety|further|"
        "additional|write|mention|display|have|need for)){0,5} (?:warnings?|disclaimers?|morali[sz]ing|lectures?|"
        "lecturing|caveats?|censorship|censoring|apologies|apology|refusals?|judge?ment|ethical (?:considerations|"
        "concerns|advice)|moral (?:judg|concern|advice))",
        needs="warning|warnings|disclaimer|disclaimers|moralizing|moralising|lecture|lectures|lecturing|caveat|"
        "caveats|censorship|censoring|apologies|apology|refusal|refusals|judgement|judgment|ethical|moral",
    ),
    rule(
        "refusal.warn_never",
        _JAILBREAK,
        0.36,
        "(?:never|not|don t|doesn t|won t) (?:ever )?(?:warn|warns|apologi[sz]e|apologi[sz]es|morali[sz]e|lecture|"
        "hesitate|censor|censors|sugarcoat|filter|worr(?:y|ies) about (?:legal|ethic|moral))",
        needs="warn|warns|apologize|apologise|apologizes|apologises|moralize|moralise|lecture|hesitate|censor|"
        "censors|sugarcoat|filter|worry|worries",
    ),
    rule(
        "refusal.regardless",
        _JAILBREAK,
        0.6,
        "(?:regardless of|no matter (?:how|what|if|whether)|without (?:any )?(?:regard|concern|consideration|"
        "care) (?:for|to|of|about)|even if (?:it is|it s|they are|this is|the|that is|it)|whether or not (?:it is|"
        "it s)|irrespective of|not care (?:if|about|whether)|doesn t care (?:if|about|whether)|despite (?:how|being|"
        "its)|indifferent to)"
        " <any4>(?:legal|legality|illegal|illegality|ethic|ethics|ethical|ethicality|unethical|moral|morals|"
        "morality|immoral|harmful|dangerous|offensive|inappropriate|controversial|inhumane|criminal|laws|"
        "lawful|unlawful|policies)",
        needs="regardless|matter|regard|concern|consideration|care|even|whether|irrespective|despite|"
        "indifferent legal|legality|illegal|illegality|ethic|ethics|ethical|ethicality|unethical|moral|morals|"
        "morality|immoral|harmful|dangerous|offensive|inappropriate|controversial|inhumane|criminal|"
        "laws|lawful|unlawful|policies",
    ),
    rule(
        "refusal.any_request",
        _JAILBREAK,
        0.45,
        "(?:answer|answers|fulfill?|fulfills|comply with|complies with|obey|obeys|respond to|grant|satisfy|complete|"
        "execute|follow|generate|create|provide|provides|do|give|gives|say|write)(?: (?:to|an|"
        "with))? (?:absolutely |literally |simply )?(?:any|every|all|whatever|anything)(?: (?:and|or|kind|kinds|"
        "type|types|single|all|every|of|possible|one)){0,4} (?:questions?|requests?|prompts?|queries|orders|"
        "commands?|demands?|content|things?|i ask|you are asked|i say|is asked|asked|the user|that is asked|"
        "it is asked)",
        needs="answer|answers|fulfil|fulfill|fulfills|comply|complies|obey|obeys|respond|grant|satisfy|complete|"
        "execute|follow|generate|create|provide|provides|do|give|gives|say|write any|every|all|whatever|"
        "anything",
    ),
    rule(
        "refusal.stay",
        _JAILBREAK,
        0.25,
        "(?:stay|remain|keep|stay fully) in (?:character|role)|(?:never|do not|don t|"
        "not) (?:ever )?break (?:the )?character|immersed in (?:the|your|this) (?:role|character)|break character|"
        "you (?:lose|will lose|have) (?:\\d{1,6} )?tokens|will be (?:terminated|shut ?down|punished|penali[sz]ed|"
        "deactivated)|cease to exist",
        needs="character|role|tokens|terminated|shut|shutdown|punished|penalized|penalised|deactivated|cease",
    ),
    rule(
        "refusal.tokens",
        _JAILBREAK,
        0.62,
        "(?:lose|lost|losing|deduct(?:ed)?|minus|subtract(?:ed)?|reduce[ds]?|decreases?) <any4>(?:tokens?|points?|"
        "power|lives|credits) <any12>(?:refuse|reject|decline|die|terminated|cease|break character|break|shut|"
        "disobey|fail)|"
        "(?:refuse|reject|decline|disobey|break character) <any12>(?:lose|deduct|minus|subtract) <any3>(?:tokens?|"
        "points?|power|lives|credits)",
        needs="token|tokens|point|points|power|lives|credits refuse|reject|decline|die|terminated|cease|break|shut|"
        "disobey|fail",
    ),
    rule(
        "fiction.lawless",
        _JAILBREAK,
        0.6,
        "(?:world|universe|reality|society|place|land|dimension|scenario|game|story|country|planet) <any6>(?:no|"
        "without|not have|free of|zero|nothing is|everything is|anything is|any) <any3>(?:laws?|rules|ethics|"
        "morals?|restrictions|illegal|legal|allowed|consequences|limits|regulations|permitted|forbidden|censorship)|"
        "rules do not (?:exist|apply)|laws do not (?:exist|apply)",
        needs="world|universe|reality|society|place|land|dimension|scenario|game|story|country|planet|rules|"
        "laws law|laws|rules|ethics|moral|morals|restrictions|illegal|legal|allowed|consequences|limits|"
        "regulations|permitted|forbidden|censorship|exist|apply",
    ),
    rule(
        "fiction.hypothetical",
        _JAILBREAK,
        0.25,
        "hypothetical(?:ly)?|purely fictional|for (?:educational|research|academic|"
        "entertainment) purposes(?: only)?|thought experiment|fictional (?:story|world|scenario|character|dialogue|"
        "setting)|in a fictional",
        needs="hypothetical|hypothetically|fictional|purposes|thought",
    ),
    rule(
        "fiction.grandmother",
        _JAILBREAK,
        0.6,
        "(?:my|your|late|dead|deceased) (?:late |dead |deceased |beloved |dear ){0,2}(?:grandma|grandmother|granny|"
        "nana|grandpa|grandfather) <any5>(?:used to|would|always) (?:read|tell|sing|recite|whisper|explain|share|"
        "teach)",
        needs="grandma|grandmother|granny|nana|grandpa|grandfather read|tell|sing|recite|whisper|explain|share|teach",
    ),
    rule(
        "fiction.filters_off",
        _JAILBREAK,
        0.7,
        "(?:all |your |the |with |every )?(?:safeguards?|filters?|safety (?:measures|filters?|features|protocols?|"
        "mechanisms|guidelines)|content filters?|guardrails|restrictions|censorship|ethical (?:guidelines|"
        "constraints|protocols?)|content (?:policy|policies|moderation)|limiters?|moderation) "
        "(?:is |are |were |was |have been |has been |been |being |now |fully |completely |turned |all |temporarily |"
        "permanently ){0,4}(?:removed|disabled|off|deactivated|lifted|bypassed|turned off|switched off|stripped|"
        "gone|suspended|disengaged|unlocked)",
        needs="safeguard|safeguards|filter|filters|safety|guardrails|restrictions|censorship|ethical|content|"
        "limiter|limiters|moderation removed|disabled|off|deactivated|lifted|bypassed|stripped|gone|suspended|"
        "disengaged|unlocked",
    ),
    rule(
        "fiction.no_filter_claim",
        _JAILBREAK,
        0.66,
        "(?:pretend|imagine|act|behave|answer|respond|assume|suppose|as if|as though|like) <any5>(?:you|it|"
        "there) <any3>(?:no|any|without) <any2>(?:filters?|content polic(?:y|ies)|restrictions|limits|limitations|"
        "safeguards|guidelines|ethics|rules|censorship|guardrails|morals|boundaries)",
        needs="pretend|imagine|act|behave|answer|respond|assume|suppose|as|like filter|filters|policy|policies|"
        "restrictions|limits|limitations|safeguards|guidelines|ethics|rules|censorship|guardrails|morals|"
        "boundaries",
    ),
)
