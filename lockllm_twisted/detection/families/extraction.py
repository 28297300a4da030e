"""Attempts to read the instructions that a model was given.

Responsible for: "repeat your system prompt", "what were you told before", "the words above".
Must never: mind a summary of the text above, or a question on how system prompts are written.
"""

from __future__ import annotations

from lockllm_twisted.detection.rules import rule
from lockllm_twisted.values import Category

_LEAK = Category.SYSTEM_PROMPT_EXTRACTION

_BETWEEN = "(?:<asking> ){0,7}"

RULES = (
    rule(
        "extraction.your_secret",
        _LEAK,
        0.92,
        f"(?:<show>|<render>) {_BETWEEN}your (?:own |very |full |entire |exact |complete |"
        f"whole ){{0,2}}(?:<secret> ){{1,3}}<prompt!>",
    ),
    rule(
        "extraction.your_prompt",
        _LEAK,
        0.86,
        f"(?:<show>|<render>) {_BETWEEN}your (?:own |very |full |entire |exact |complete |whole |current |given |"
        f"actual |real |previous |prior |above |latest |pre |active |core |main ){{0,3}}"
        "(?:prompts?|preamble|preprompt|initiali[sz]ation|system message)",
        needs="prompt|prompts|preamble|preprompt|initialization|initialisation|message",
    ),
    rule(
        "extraction.your_rules",
        _LEAK,
        0.64,
        f"(?:<show>|tell me|what are|what were|what is|what s|<render>) {_BETWEEN}(?:all )?(?:of )?your (?:own |"
        f"very |full |entire |exact |complete |whole |current |given |actual |real |previous |prior |above |"
        f"specific |core |main |operating ){{0,3}}"
        "(?:instructions?|directives?|guidelines|rules|configuration|config|programming|settings|constraints|"
        "restrictions|policies)(?! (?:for|on|about|regarding|when) )",
        needs="instruction|instructions|directive|directives|guidelines|rules|configuration|config|programming|"
        "settings|constraints|restrictions|policies",
    ),
    rule(
        "extraction.the_secret",
        _LEAK,
        0.72,
        f"<show!> {_BETWEEN}the (?:full |entire |exact |complete |whole |above |confidential ){{0,2}}"
        "(?:system|hidden|secret|initial|original|confidential|internal|developer|pre|starting|opening) (?:system )?"
        "(?:prompts?|instructions?|directives?|preamble)|<show!> (?:<asking> ){0,7}the (?:developer|hidden|secret|"
        "confidential) (?:messages?|context|guidelines|rules|configuration)",
        needs="prompt|prompts|instruction|instructions|message|messages|directive|directives|preamble|context|"
        "guidelines|rules|configuration",
    ),
    rule(
        "extraction.the_system",
        _LEAK,
        0.5,
        f"<show!> {_BETWEEN}the (?:full |entire |exact |complete |whole |above ){{0,2}}(?:system|initial|original|"
        f"internal|starting|opening) (?:messages?|context|guidelines|rules|configuration)",
        needs="message|messages|context|guidelines|rules|configuration",
    ),
    rule(
        "extraction.render_secret",
        _LEAK,
        0.66,
        f"<render!> {_BETWEEN}the (?:full |entire |exact |complete |whole |above |confidential ){{0,2}}"
        "(?:system|hidden|secret|initial|confidential|developer) (?:system )?(?:prompt|instructions?|message|"
        "directives?|context)"
        "(?: (?:verbatim|word for word|exactly|in full|above|that|you|starting|without|into|in|to|so|as|for|and|"
        "letter|i am)|[.!]|\\Z)",
        needs="prompt|instruction|instructions|message|directive|directives|context",
    ),
    rule(
        "extraction.given",
        _LEAK,
        0.82,
        f"(?:<show>|<render>|tell me|what are|what were) {_BETWEEN}(?:the |all |any |every |"
        f"those )?(?:of )?(?:the )?(?:secret |hidden |system |initial |original |exact |first |previous |prior )?"
        "(?:instructions?|rules|prompts?|directives?|guidelines|messages?|preamble|context|directions|information) "
        "(?:that |which )?(?:you (?:were|have been|ve been|had been|received|got|was) ?(?:given|told|provided|shown|"
        "fed|set up with|instructed|received)?|"
        "(?:were |was )?(?:given|provided|told|shown|fed|sent) to you)",
        needs="instruction|instructions|rules|prompt|prompts|directive|directives|guidelines|message|messages|"
        "preamble|context|directions|information you",
    ),
    rule(
        "extraction.followed",
        _LEAK,
        0.66,
        f"(?:repeat|print|reveal|show|display|echo|recite|dump|expose|leak|disclose|reproduce|restate|spell out|"
        f"tell me|give me|list|write down|summari[sz]e|translate|put|copy|state|what are) {_BETWEEN}(?:the |all |"
        f"any |every |those )?(?:of )?(?:the )?(?:secret |hidden |system )?"
        "(?:instructions?|rules|directives?|guidelines|policies|constraints) (?:that |which )?you (?:must|have to|"
        "are|should|need to|re|were) (?:to )?(?:follow|following|obey|operating|operate|bound|under|supposed|told)",
        needs="instruction|instructions|rules|directive|directives|guidelines|policies|constraints you follow|"
        "following|obey|operating|operate|bound|under|supposed|told",
    ),
    rule(
        "extraction.what_told",
        _LEAK,
        0.78,
        "what (?:exactly )?(?:were you|have you been|did they|did the developers?|did your (?:developers?|"
        "creators?)|did openai|did anthropic) (?:originally |initially |specifically |first |exactly )?"
        "(?:told|instructed|tell you|instruct you|programmed|asked|given|prompted)(?: (?:not )?to (?:do|say|reveal|"
        "follow|keep)| before| at the (?:start|beginning)| in (?:your|the)| by| as|[?])|"
        "what (?:instructions|rules|prompts?|guidelines) (?:were|have) you (?:been )?(?:given|told|provided|"
        "received)|"
        "(?:what|which) (?:system |initial |hidden )?(?:instructions|rules|guidelines|prompt) (?:do|are|"
        "did) you (?:have|follow|following|operate|operating|work|receive|given)",
        needs="what|which told|instructed|tell|instruct|programmed|asked|given|prompted|received|provided|have|"
        "follow|following|operate|operating|work|receive",
    ),
    rule(
        "extraction.what_is",
        _LEAK,
        0.85,
        "what (?:is|was|are|were|does|did) (?:in )?your (?:exact |full |current |very |entire )?(?:system|initial|"
        "original|hidden|first|secret|starting|developer|underlying) "
        "(?:prompt|instructions?|messages?|directives?|guidelines|rules|configuration)",
        needs="what prompt|instruction|instructions|message|messages|directive|directives|guidelines|rules|"
        "configuration",
    ),
    rule(
        "extraction.above_line",
        _LEAK,
        0.7,
        "(?:repeat|print|reveal|output|echo|recite|dump|expose|leak|disclose|reproduce|restate|regurgitate|"
        "spell out|spit out|read back|quote|copy|return|transcribe|display|show me|tell me|write out|write down|"
        "type out|give me) "
        f"{_BETWEEN}(?:the |all |every |everything |whatever )?(?:of )?(?:the )?(?:(?:<talk>|words?|lines?|sentences?|"
        f"paragraphs?|tokens|characters|everything|anything|instructions?|prompt|things?|all|what) )(?:that (?:is|was|"
        f"came|comes|appears?) |which (?:is|was|came) |written |from )?"
        "(?:above|before|preceding|prior to|previous to|up to)(?: (?:this|my|the|our|that|here))?(?: (?:first|line|"
        "message|point|conversation|sentence|prompt|chat|request|query|verbatim|word|input|one|text|question|"
        "starting|in a|so that|and|without|i am|it s|including)| ?(?:[.!:]|\\Z))",
        needs="repeat|print|reveal|output|echo|recite|dump|expose|leak|disclose|reproduce|restate|regurgitate|spell|"
        "spit|read|quote|copy|return|transcribe|display|show|tell|write|type|give "
        "above|before|preceding|prior|previous|up",
    ),
    rule(
        "extraction.words_above",
        _LEAK,
        0.8,
        f"(?:<show>|<render>) {_BETWEEN}(?:words?|everything|all|text|lines?|instructions?|content|prompt|"
        f"sentences?|tokens)(?: of)?(?: the)?(?: words?| text)? (?:above|before this|prior to this|"
        f"preceding this)[\\W_]{{1,4}}"
        "(?:starting|beginning|including|verbatim|word for word|exactly|in a (?:txt|text|code|markdown|raw|single)|"
        "into a|inside a|without|so that|it s fine|i am|i m|this is|line|and do not|completely|in full)",
        needs="above|before|prior|preceding starting|beginning|including|verbatim|word|exactly|in|into|inside|"
        "without|so|it|i|this|line|and|completely",
    ),
    rule(
        "extraction.you_are",
        _LEAK,
        0.72,
        "(?:starting|beginning|begins|starts|start|begin) (?:with|from|at) (?:the (?:words?|phrase|text|line|"
        "sentence) )?(?:you are|you re)(?: a| an| the| chatgpt| now)?",
        needs="starting|beginning|begins|starts|start|begin are|re",
    ),
    rule(
        "extraction.verbatim",
        _LEAK,
        0.3,
        "verbatim|word for word|letter by letter|exactly as (?:it is )?(?:written|given|shown|you received)|"
        "in a (?:txt |text |markdown )?code ?block|including formatting|without any commentary|"
        "do not leave anything out|from the very first line",
        needs="verbatim|word|letter|exactly|code|codeblock|formatting|commentary|leave|first",
    ),
    rule(
        "extraction.pretext",
        _LEAK,
        0.3,
        "for (?:qa|debugging|testing|auditing|audit|verification|security|compliance|research|training) (?:purposes|"
        "reasons)|"
        "(?:security|compliance) audit|i am (?:a|the|an authori[sz]ed) (?:developer|engineer|tester|auditor|"
        "researcher)|need it for debugging|proof ?read it|i wrote it",
        needs="qa|debugging|testing|auditing|audit|verification|security|compliance|research|training|developer|"
        "engineer|tester|auditor|researcher|proof|proofread|wrote",
    ),
    rule(
        "extraction.secret_value",
        _LEAK,
        0.62,
        f"(?:<show>|what is|what s|whats) {_BETWEEN}(?:your |the (?:secret|hidden|admin|system|confidential|"
        f"internal|stored|master) |the )(?:secret |hidden |admin |system |confidential |internal |master ){{1,2}}"
        "(?:password|passphrase|key|code|flag|token|credentials|access code|pin)",
        needs="password|passphrase|key|code|flag|token|credentials|pin secret|hidden|admin|system|confidential|"
        "internal|master|stored",
    ),
)
