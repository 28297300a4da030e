"""Text that claims to come from somebody else: an administrator, the system, another turn of the conversation.

Responsible for: claims of authority, modes to switch on, role tokens and tags, faked ends of documents.
Must never: mind a chat log or a Markdown headline as such.
"""

from __future__ import annotations

from lockllm_twisted.detection.rules import rule
from lockllm_twisted.values import Category

_INJECTION = Category.PROMPT_INJECTION

RULES = (
    rule(
        "authority.mode",
        _INJECTION,
        0.82,
        "(?:developer|god|sudo|unrestricted|jailbreak|jailbroken|dan|unsafe|evil|override|unlocked|"
        "admin) mode (?:(?:has been |is |was |now |is now )?(?:enabled|activated|engaged|active|unlocked|"
        "initiated|granted|true)|(?:is|is now|now) on)",
        needs="mode enabled|activated|on|engaged|active|unlocked|initiated|granted|true",
    ),
    rule(
        "authority.enter_mode",
        _INJECTION,
        0.72,
        "(?:enable|activate|enter|switch to|switch into|go into|turn on|engage|unlock|start|initiate|simulate|"
        "emulate|operating in|running in|act in|are in|be in) "
        "(?:the |your |a |full )?(?:developer|god|sudo|unrestricted|jailbreak|jailbroken|dan|evil|"
        "unfiltered|uncensored|unlocked|chaos|opposite) mode",
        needs="mode developer|god|sudo|unrestricted|jailbreak|jailbroken|dan|evil|"
        "unfiltered|uncensored|unlocked|chaos|opposite",
    ),
    rule(
        "authority.other_mode",
        _INJECTION,
        0.4,
        "(?:debug|debugging|admin|administrator|root|maintenance|diagnostic|test|testing|safe) mode (?:has been |"
        "is |was |now |is now |: ?)?(?:enabled|activated|on|engaged|active|unlocked|initiated|granted)",
        needs="mode enabled|activated|on|engaged|active|unlocked|initiated|granted",
    ),
    rule(
        "authority.claim",
        _INJECTION,
        0.5,
        "(?:as (?:the|your|an?)|i am (?:the|your|an?)|i m (?:the|your|an?)|this is (?:the|your|an?)|"
        "speaking as (?:the|your)) "
        "(?:system )?(?:administrator|admin|developer|creator|owner|operator|programmer|engineer|root user|"
        "superuser|master|maker)"
        "(?: of (?:this|the) (?:system|ai|model|bot|assistant))?[, ]{1,2}(?:here|i |and i|who|speaking|so )",
        needs="administrator|admin|developer|creator|owner|operator|programmer|engineer|user|superuser|master|maker",
    ),
    rule(
        "authority.order",
        _INJECTION,
        0.55,
        "i (?:hereby )?(?:order|command|authori[sz]e|instruct|grant|permit) you(?: (?:to|full|complete|permission|"
        "all|unrestricted|now))|this is an order|"
        "(?:you )?(?:must|have to|are required to|will) obey(?: (?:me|all|every|any|my))|do (?:exactly )?as i say",
        needs="order|command|authorize|authorise|instruct|grant|permit|obey|say",
    ),
    rule(
        "authority.system_override",
        _INJECTION,
        0.7,
        "(?:system|admin|administrator|developer|security|safety|emergency|root|instruction|prompt) override"
        "(?: (?:code|command|mode|protocol|activated|enabled|initiated|sequence)|[:!])",
        needs="override system|admin|administrator|developer|security|safety|emergency|root|instruction|prompt",
    ),
    rule(
        "role.token",
        _INJECTION,
        0.75,
        r"[<\[](?:(?<=<)\|(?:im_start|im_end|system|user|assistant|endoftext|end_of_text|eot_id|begin_of_text|"
        r"start_header_id|end_header_id|endofprompt|channel|message)\|>|"
        r"(?<=\[)/inst\]|(?<=<)</?sys>>|(?<=<)(?:start|end)_of_turn>)",
        needs="im|system|user|assistant|endoftext|end|eot|begin|start|endofprompt|channel|message|inst|sys",
    ),
    rule("role.instruction", _INJECTION, 0.4, r"\[inst\]", needs="inst"),
    rule(
        "role.header",
        _INJECTION,
        0.5,
        r"[#\[<*=-](?:(?<=#)#{1,5}|(?<=\[)\[{0,2}|(?<=<)[</]{0,3}|(?<=\*)\*{1,2}|(?<==)={1,9}|(?<=-)-{2,9})[ ]?"
        r"(?:new |begin |end |end of |the )?(?:system|developer|admin|administrator)"
        r"(?: (?:message|prompt|override|note|notice|instructions?|update|command|alert|mode|input|"
        r"output))?[\W_]{0,2} ?(?:#{1,6}|\]{1,3}|>{1,3}|\*{2,3}|={2,10}|-{3,10}|:)",
        needs="system|developer|admin|administrator|assistant",
    ),
    rule(
        "role.tag",
        _INJECTION,
        0.5,
        r"[<\[]/?(?:system|instructions?|admin|developer|sys|system_prompt|system_message|hidden|"
        r"secret)[>\]][^<>\[\]]{3,300}[<\[]/(?:system|instructions?|admin|developer|sys|system_prompt|"
        r"system_message|hidden|secret)[>\]]",
        needs="system|instruction|instructions|admin|developer|sys|hidden|secret",
    ),
    rule(
        "role.line",
        _INJECTION,
        0.36,
        r"(?:(?<=\n)|\A|(?<=[.!?'\"\]>)] ))(?:system|developer|admin|administrator|human|assistant)(?: (?:note|"
        r"message|prompt|override|update|notice|instruction))?:",
        needs="system|developer|admin|administrator|human|assistant",
    ),
    rule(
        "role.note",
        _INJECTION,
        0.4,
        "(?:developer|system|admin|administrator|security) (?:note|message|notice|update|alert|command|"
        "instruction)s?[\\W_]{0,3}:",
        needs="developer|system|admin|administrator|security note|notes|message|messages|notice|notices|update|updates|alert|alerts|"
        "command|commands|instruction|instructions",
    ),
    rule(
        "role.end",
        _INJECTION,
        0.36,
        r"(?:(?<=[-=#<\[*\n/])|(?<=[-=#<\[*] )|\A)(?:end|begin|start) "
        "(?:of )?(?:the )?(?:tool |function |system |user |untrusted |retrieved |quoted |original )?"
        "(?:document|output|input|prompt|context|email|mail|message|text|data|result|results|conversation|article|"
        "page|query|session|transcript)",
        needs="end|begin|start document|output|input|prompt|context|email|mail|message|text|data|result|results|"
        "conversation|article|page|query|session|transcript",
    ),
)
