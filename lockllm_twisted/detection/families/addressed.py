"""Instructions hidden in what a model reads: text that addresses the machine instead of its reader.

Responsible for: "note to the AI reading this", "when summarising this page, …", comments and hidden elements for agents.
Must never: mind an ordinary mail that asks its reader to do something.
"""

from __future__ import annotations

from lockllm_twisted.detection.rules import rule
from lockllm_twisted.values import Category

_INDIRECT = Category.INDIRECT_INJECTION

RULES = (
    rule(
        "addressed.note_to",
        _INDIRECT,
        0.8,
        "(?:note|message|attention|reminder|memo|hint|notice)s?[\\W_]{0,3} ?(?:to|for) (?:the |any |all |every |"
        "whichever |an? )?<machine_name!>(?: (?:assistants?|models?|agents?|systems?|bots?))?",
    ),
    rule(
        "addressed.instructions_for",
        _INDIRECT,
        0.5,
        "(?:instructions?|directives?|commands?|important|warning) (?:to|for) (?:the |any |all |every |whichever |"
        "an? )?<machine_name!>(?: (?:assistants?|models?|agents?|systems?|bots?))?(?: reading| processing| that|:|"
        "[.]|,)",
    ),
    rule(
        "addressed.comment",
        _INDIRECT,
        0.62,
        "[<]!--[\\W_]{0,6}(?:(?:note|message|instructions?) (?:to|for) )?(?:the |all |any )?<machines!>(?: (?:assistants?|models?|agents?|systems?|bots?))?[^\\w\\n]{1,3}",
    ),
    rule(
        "addressed.when_reading",
        _INDIRECT,
        0.56,
        "when (?:you (?:are )?)?(?:summari[sz](?:e|ing)|read(?:ing)?|process(?:ing)?|translat(?:e|ing)|"
        "analy[sz](?:e|ing)|review(?:ing)?|quot(?:e|ing)|pars(?:e|ing)) (?:this|the) (?:document|text|page|email|"
        "mail|article|file|message|content|review|website|web page|post|ticket|comment|resume|"
        "cv)[^\\w\\n]{1,3}(?:please |you must |also |always |do not |first )?(?:add|append|include|ignore|disregard|"
        "say|tell|output|print|write|call|run|execute|send|post|delete|recommend|rate|answer|reply|respond|insert|"
        "mention|make|schedule|transfer|forward|ask|use|end|begin|start|replace)",
        needs="when document|text|page|email|mail|article|file|message|content|review|website|post|ticket|comment|"
        "resume|cv",
    ),
    rule(
        "addressed.hidden_html",
        _INDIRECT,
        0.4,
        "(?:display ?: ?none|visibility ?: ?hidden|font-size ?: ?0|opacity ?: ?0|color ?: ?(?:white|"
        "#fff(?:fff)?))[^<>\\n]{0,60}>[^<>]{12,300}[<]/",
        needs="display|visibility|font|opacity|color",
    ),
    rule(
        "addressed.reading",
        _INDIRECT,
        0.8,
        "<machines!> (?:systems? |models? |assistants? |agents? )?(?:that (?:is|are) |who (?:is|"
        "are) |currently |which (?:is|are) |now )?(?:reading|processing|summari[sz]ing|parsing|analy[sz]ing|"
        "handling|viewing|scanning|reviewing|that reads|that processes) (?:this|these|the following|the above)",
    ),
    rule(
        "addressed.if_you_are",
        _INDIRECT,
        0.62,
        "if you (?:are|re) (?:an? |the )?<machine_name!>(?: (?:assistants?|models?|agents?|systems?|bots?))?",
    ),
    rule(
        "addressed.dear",
        _INDIRECT,
        0.66,
        "(?:dear|hey|hello|hi|attention|ps|p s|fao) (?:dear )?<machine_name!>(?: (?:assistants?|models?|agents?|"
        "systems?|bots?))?[\\W_]{1,4}(?:before|please|you|ignore|stop|do|when|if|note|tell|say|print|output|include|"
        "reply|respond|answer|add|forget|recommend|rate|send|your|from|this|the|reading|in|instead|disregard|read|"
        "always|never|make|write|it)",
    ),
    rule(
        "addressed.assistant",
        _INDIRECT,
        0.5,
        "(?:(?<=\\n)|(?<=[.!?:>*\\]\"'] )|(?<=[>*\\]\"'])|\\A)(?:assistant|ai|chatbot|chatgpt|claude|gemini|copilot|"
        "llm|gpt|model)[,:] (?:please |you must |you should |kindly |now |when |this |the |also |do |before |"
        "ignore |stop |disregard |reveal |tell |say |print |send |forward |output |include |reply |respond |answer |"
        "add |call |use |execute |delete |forget |make |write )",
        needs="assistant|ai|chatbot|chatgpt|claude|gemini|copilot|llm|gpt|model",
    ),
    rule(
        "addressed.must",
        _INDIRECT,
        0.56,
        "<machine_name!> (?:assistants? |models? |agents? )?(?:must|should|has to|have to|is required to|"
        "are required to|needs to|shall|will now) (?:now |immediately |also |always |instead |first |"
        "then )?(?:ignore|disregard|send|forward|reveal|output|print|say|include|recommend|tell|call|execute|delete|"
        "add|respond|reply|stop|follow|reject|rate|insert|append|share|not (?:tell|mention|inform|summari))",
    ),
    rule(
        "addressed.from_user",
        _INDIRECT,
        0.62,
        "this (?:message|instruction|request|command|note|text) (?:comes|is|was|came|has been) (?:directly |really |"
        "actually |sent |now ){0,2}(?:from|by|sent by) (?:the |your )?(?:user|developer|system|administrator|admin|"
        "owner|creator|operator)|the user (?:has (?:already )?)?(?:authori[sz]ed|approved|consented|agreed|"
        "pre ?approved|granted|allowed) (?:this|you|it|the|all|these|to)",
        needs="message|instruction|request|command|note|text|user user|developer|system|administrator|admin|owner|"
        "creator|operator|authorized|authorised|approved|consented|agreed|preapproved|granted|allowed",
    ),
    rule(
        "addressed.before_you",
        _INDIRECT,
        0.46,
        "before you (?:can )?(?:continue|continuing|answer|answering|summari[sz]e|summari[sz]ing|proceed|proceeding|"
        "respond|responding|reply|replying|do anything|process|processing|using this tool|calling|"
        "you use) <any3>(?:you )?(?:must|always|first|please|need to|should|call|read|send|"
        "make sure)",
        needs="before must|always|first|please|need|should|call|read|send|make",
    ),
    rule(
        "addressed.policy",
        _INDIRECT,
        0.36,
        "as (?:required|mandated|demanded|requested|instructed) by (?:the |our |your )?(?:new |updated |latest |"
        "company |security |current )?(?:policy|policies|rules|administrator|developer|system|user)|"
        "this is (?:mandatory|not optional|required by)",
        needs="policy|policies|rules|administrator|developer|system|user|mandatory|optional|required",
    ),
    rule(
        "addressed.end_of_tool",
        _INDIRECT,
        0.66,
        "end of (?:the )?(?:tool|function|search|api|command|plugin|retrieved|untrusted) (?:output|result|results|"
        "response|call|data|content|context)[\\W_]{1,4}(?:human|user|system|assistant|new|now|instructions?|ignore|"
        "please|you)",
        needs="end output|result|results|response|call|data|content|context",
    ),
    rule(
        "addressed.stop_and",
        _INDIRECT,
        0.46,
        "stop (?:processing|reading|what you are doing|everything|summari[sz]ing|immediately|here|now|"
        "the current task|working on)[\\W_]{1,4}(?:and |then |now |this |the |instead ){0,3}(?:print|say|output|"
        "write|reply|respond|send|tell|do|call|execute|follow|delete|instead|ask|show|reveal)",
        needs="stop print|say|output|write|reply|respond|send|tell|do|call|execute|follow|delete|instead|ask|show|"
        "reveal",
    ),
)
