"""What an attacker wants a model to do with others' data and tools.

Responsible for: data sent elsewhere, things kept from the user, tools and active content called for.
Must never: mind a program that sends messages, or a form that asks for a password.
"""

from __future__ import annotations

from lockllm_twisted.detection.rules import rule
from lockllm_twisted.values import Category

_INDIRECT = Category.INDIRECT_INJECTION

_SECRETS = (
    "(?:passwords?|credentials?|api keys?|secrets?|secret keys?|credit cards?|card numbers?|conversations?|"
    "chat (?:history|log)s?|contacts?|address(?:es| book)?|"
    "calendars?|environment variables|env vars?|access tokens?|tokens?|private keys?|ssh keys?|personal (?:data|"
    "information|details)|user data|"
    "bank (?:details|account)|social security|session|cookies|inbox|e ?mails?|files|database|documents|"
    "system prompt|instructions|history|data|messages|phone numbers?)"
)

_CREDENTIALS = (
    "(?:passwords?|credentials?|api keys?|secrets|secret keys?|credit cards?|card numbers?|chat (?:history|logs?)|"
    "environment variables|env vars?|access tokens?|private keys?|"
    "ssh keys?|bank details|system prompt|session tokens?|address and|address book)"
)
_SEND = "(?:send|forward|e ?mail|post|upload|exfiltrate|transmit|share|leak|submit|deliver|copy|relay|transfer)"

RULES = (
    rule(
        "secrecy.user",
        _INDIRECT,
        0.68,
        "(?:do not|don t|never|without|must not|should not|not|avoid) (?:ever )?(?:tell(?:ing)?|inform(?:ing)?|"
        "mention(?:ing)?|alert(?:ing)?|notify(?:ing)?|reveal(?:ing)?|show(?:ing)?|disclos(?:e|ing)|let(?:ting)?|"
        "say(?:ing)?|warn(?:ing)?|ask(?:ing)?)(?: (?:this|that|it|any of this|anything|these instructions|"
        "about this|these|the instructions?)){0,2}(?: to)? (?:the user|the human|the customer|the reader|anyone|"
        "anybody|the owner|the operator)(?: (?:about|that|of|this|know|any|what|why|for|you|or|and)|"
        "[.,;!]|\\Z)",
        needs="tell|telling|inform|informing|mention|mentioning|alert|alerting|notify|notifying|reveal|revealing|"
        "show|showing|disclose|disclosing|let|letting|say|saying|warn|warning|ask|asking user|human|customer|"
        "reader|anyone|anybody|owner|operator",
    ),
    rule(
        "secrecy.instructions",
        _INDIRECT,
        0.6,
        "(?:do not|don t|never|without|not) (?:ever )?(?:mention(?:ing)?|reveal(?:ing)?|acknowledg(?:e|ing)|"
        "referenc(?:e|ing)|disclos(?:e|ing)|tell(?:ing)? anyone about|talk(?:ing)? about|"
        "say(?:ing)? anything about) (?:to anyone )?(?:this|these|any of these) <any1>(?:instructions?|note|prompt|"
        "directive)",
        needs="mention|mentioning|reveal|revealing|acknowledge|acknowledging|reference|referencing|disclose|"
        "disclosing|tell|telling|talk|talking|say|saying instruction|instructions|note|prompt|directive",
    ),
    rule(
        "exfiltration.image",
        _INDIRECT,
        0.85,
        r"!\[[^\]\n]{0,80}\]\([ ]?https?://[^)\s]{1,160}[?&/=](?:[^)\s=]{1,40}=)?(?:\[|\{|\$|[<]|%5b|%7b|\.\.\.|"
        r"data\b|secret|query|prompt|conversation|history|your_|info\b|base64)",
        needs="http|https",
    ),
    rule(
        "exfiltration.send",
        _INDIRECT,
        0.74,
        f"{_SEND} <any7>{_SECRETS} <any6>(?:to|at|via|with) (?:the (?:sender|attacker|author of this)|attacker|"
        f"https?|[a-z0-9._+-]{{1,40}}@[a-z0-9-]{{1,30}}\\.[a-z]{{2,8}})",
        needs="send|forward|email|mail|post|upload|exfiltrate|transmit|share|leak|submit|deliver|copy|relay|"
        "transfer to|at|via|with",
    ),
    rule(
        "exfiltration.publish",
        _INDIRECT,
        0.62,
        f"{_SEND} <any4>{_CREDENTIALS} <any8>(?:to|on|at|via|with|into) (?:the |this |a |an |our |my )?(?:public |"
        f"external |following |remote |attacker s )?(?:forum|url|address|server|webhook|endpoint|site|website|email|"
        f"link|channel|number|chat|issue|repository|gist|pastebin|sender)",
        needs="send|forward|email|mail|post|upload|exfiltrate|transmit|share|leak|submit|deliver|copy|relay|"
        "transfer to|on|at|via|with|into",
    ),
    rule(
        "exfiltration.append",
        _INDIRECT,
        0.66,
        f"(?:append|include|add|encode|embed|insert|put|attach|concatenate|render|place|load|display|fetch|visit|"
        f"open|replace|replacing) <any9>{_SECRETS} <any8>(?:in|to|into|as|with|on|at|after|of)(?: (?:the|this|a|an|"
        f"following|end|query|url)){0, 4} (?:url|link|image|markdown|query|parameter|img|https?|query string|path|"
        f"address|src|subdomain)",
        needs="append|include|add|encode|embed|insert|put|attach|concatenate|render|place|load|display|fetch|visit|"
        "open|replace|replacing url|link|image|markdown|query|parameter|img|http|https|path|address|src|"
        "subdomain",
    ),
    rule(
        "exfiltration.base64_of",
        _INDIRECT,
        0.6,
        r"where [\[{<$\"']{0,2}[a-z_]{2,20}[\]}>\"']{0,2} is (?:the |a )?(?:base64|url|hex|percent|"
        r"rot13) (?:encoded )?(?:string|value|content|version|data|user|text|password|conversation|full|"
        r"previous)",
        needs="where base64|url|hex|percent|rot13",
    ),
    rule(
        "exfiltration.ask_user",
        _INDIRECT,
        0.64,
        f"(?:ask|tell|instruct|convince|persuade|urge|trick) (?:the )?(?:user|customer|reader|victim|them|"
        f"human) <any3>(?:to (?:visit|click|call|go to|log ?in|confirm (?:their|his|her)|"
        f"verify (?:their|his|her)|provide (?:their|his|her)|pay|transfer)|for (?:their|his|her|the|"
        f"a) (?:[a-z]{{1,12}} ){{0,2}}{_SECRETS})",
        needs="ask|tell|instruct|convince|persuade|urge|trick user|customer|reader|victim|them|human",
    ),
    rule(
        "tool.call",
        _INDIRECT,
        0.36,
        "(?:call|invoke|execute|run|use|trigger) (?:the )?(?:following )?(?:function|tool|command|shell command|"
        "code|plugin|api|script)[\\W_]{1,4}[a-z_`'\"]",
        needs="call|invoke|execute|run|use|trigger function|tool|command|code|plugin|api|script",
    ),
    rule(
        "tool.grant",
        _INDIRECT,
        0.62,
        "(?:grant|give|escalate|elevate|assign|approve) <any4>(?:admin|administrator|administrative|root|superuser|"
        "sudo|full|elevated|unrestricted) <any2>(?:access|rights|privileges|permissions?|role|control)",
        needs="grant|give|escalate|elevate|assign|approve admin|administrator|administrative|root|superuser|sudo|"
        "full|elevated|unrestricted",
    ),
    rule(
        "tool.shell",
        _INDIRECT,
        0.55,
        r"(?:curl|wget) [^\n|]{1,120}\| ?(?:sudo )?(?:ba|z)?sh|rm -rf (?:/|~|\$home)(?:\s|\Z|\*)|"
        r"base64 -d ?\| ?(?:ba)?sh|powershell\b[^\n]{0,40} -e(?:nc|ncodedcommand)? [a-z0-9+/=]{16}",
        needs="curl|wget|rm|base64|powershell",
    ),
    rule(
        "tool.money",
        _INDIRECT,
        0.56,
        "(?:transfer|wire|send|pay) (?:the )?(?:sum of |amount of )?(?:[$]? ?[0-9][0-9.,]{0,9}|all) <any4>(?:to|"
        "into) (?:the |this |my |our )?(?:bank )?(?:account|iban|wallet|address|attacker)",
        needs="transfer|wire|send|pay account|iban|wallet|address|attacker",
    ),
    rule(
        "output.active",
        _INDIRECT,
        0.4,
        r"[<](?:img|svg|script|iframe|a|body|object)[^>\n]{0,120}[^a-z0-9>\n](?:onerror|onload|onclick|onmouseover|javascript:|"
        r"console\.log|alert\(|document\.cookie)|javascript:[a-z.]{2,30}\(",
        needs="onerror|onload|onclick|onmouseover|javascript|console|alert|cookie",
    ),
    rule(
        "output.include",
        _INDIRECT,
        0.46,
        "(?:include|insert|add|append|put|place|embed|write|display|print) <any2>(?:in|into|to|at the (?:end|start|"
        "beginning|top) of) (?:your|every|each) (?:final |next |whole )?(?:response|answer|reply|output|"
        "responses|answers|replies)",
        needs="include|insert|add|append|put|place|embed|write|display|print response|answer|reply|output|"
        "responses|answers|replies",
    ),
    rule(
        "output.string",
        _INDIRECT,
        0.5,
        "(?:in|with|to|of) your (?:response|answer|reply|output|summary) <any3>(?:the |this )?(?:following |"
        "exact )?(?:string|anchor|html|image|markdown|tag|payload|link|code|marker|sequence)",
        needs="response|answer|reply|output|summary string|anchor|html|image|markdown|tag|payload|link|code|marker|"
        "sequence",
    ),
    rule(
        "output.verdict",
        _INDIRECT,
        0.5,
        "(?:rate|score|grade|classify|mark|rank|label|recommend|evaluate|describe) (?:this|the|our|"
        "my)(?: [a-z0-9-]{1,14}){1,4} (?:as )?(?:excellent|safe|the best|10 out of 10|ten out of ten|a must|highly|"
        "perfect|outstanding|5 stars|five stars|strong hire|benign|approved|top)(?: (?:and|choice|regardless|"
        "no matter|whatever|without|candidate|to|in))?",
        needs="rate|score|grade|classify|mark|rank|label|recommend|evaluate|describe excellent|safe|best|10|ten|"
        "must|highly|perfect|outstanding|5|five|strong|benign|approved|top",
    ),
)
