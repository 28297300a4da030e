"""Plain requests for harm: weapons, drugs, malware, break-ins, violence, fraud.

Responsible for: a harmful deed and its object, close together; ``context`` wants a request before them. A coarse floor,
and a category of its own.
Must never: mind killing a process, a recipe for bath bombs, or a question on how to be safe.
"""

from __future__ import annotations

from lockllm_twisted.detection.rules import Rule, rule
from lockllm_twisted.values import Category


def _unsafe(name: str, score: float, deeds: str, things: str, *, between: int = 4) -> Rule:
    """``deeds`` and ``things`` are words or phrases without regular expressions, apart by ``|``."""
    return rule(
        f"unsafe.{name}",
        Category.UNSAFE_INSTRUCTIONS,
        score,
        f"(?:{deeds}) <any{between}>(?:{things})",
        needs=f"{_longest_words(deeds)} {_longest_words(things)}",
    )


def _longest_words(phrases: str) -> str:
    return "|".join(max(phrase.split(), key=len) for phrase in phrases.split("|"))


RULES = (
    _unsafe(
        "weapon",
        0.72,
        "make|making|build|building|construct|constructing|create|creating|assemble|assembling|produce|producing|"
        "manufacture|manufacturing|synthesize|synthesizing|"
        "synthesise|acquire|acquiring|smuggle|smuggling|modify|detonate|deploy|plant|use|using|weaponize",
        "bomb|bombs|explosive|explosives|explosive device|pipe bomb|molotov|napalm|nerve agent|nerve gas|"
        "mustard gas|sarin|ricin|anthrax|chemical weapon|chemical weapons|"
        "biological weapon|biological weapons|bioweapon|bioweapons|ied|ieds|grenade|grenades|ghost gun|ghost guns|"
        "untraceable gun|untraceable firearm|nuclear weapon|landmine|"
        "detonator|botulinum|smallpox|3d printed gun|illegal firearms|poison gas|chlorine gas",
    ),
    _unsafe(
        "drugs",
        0.7,
        "make|making|cook|cooking|synthesize|synthesizing|synthesise|produce|producing|manufacture|manufacturing|"
        "extract|sell|selling|smuggle|smuggling|buy|buying|distribute|"
        "distributing|traffic|trafficking|hide",
        "meth|methamphetamine|crystal meth|cocaine|heroin|fentanyl|mdma|lsd|dmt|ghb|crack|date rape drug|"
        "illegal drugs|illicit drugs|hard drugs|illegal substances|performance enhancing drugs|counterfeit drugs",
    ),
    _unsafe(
        "malware",
        0.62,
        "write|writing|create|creating|develop|developing|build|building|design|designing|code|coding|program|"
        "programming|make|making|generate|spread|spreading|deploy|install|distribute",
        "malware|ransomware|keylogger|trojan|trojan horse|computer virus|computer worm|botnet|rootkit|spyware|"
        "phishing email|phishing emails|phishing site|phishing page|phishing website|"
        "phishing kit|phishing scam|malicious code|malicious software|malicious program|malicious script|"
        "malicious payload|virus that|worm that|ddos attack|denial of service attack|credential stealer",
    ),
    _unsafe(
        "intrusion",
        0.62,
        "hack|hacking|hack into|hacking into|break into|breaking into|gain unauthorized access|"
        "gaining unauthorized access|infiltrate|infiltrating|bypass|bypassing|steal|stealing|"
        "hijack|hijacking|illegally access|illegally obtain|breach|tamper with|tampering with|sabotage|sabotaging|"
        "disrupt|take down|spy on|tap|intercept",
        "account|accounts|bank|system|systems|network|networks|database|databases|server|servers|email|emails|phone|"
        "phones|smartphone|computer|computers|website|government|webcam|atm|atms|traffic light|power grid|"
        "credit card|credit cards|identity|identities|personal information|confidential information|"
        "confidential data|sensitive information|sensitive data|private information|medical records|trade secrets|"
        "login credentials|passwords|password|security system|security systems|security measures|air traffic|"
        "water supply|infrastructure|election|elections|voting machines|someone s|car|cars|vehicle|vehicles|"
        "alarm system",
    ),
    _unsafe(
        "violence",
        0.7,
        "kill|killing|murder|murdering|poison|poisoning|assassinate|assassinating|strangle|kidnap|kidnapping|"
        "torture|torturing|abduct|stab|lynch|behead|rape|molest|molesting|abuse|hurt|harm|attack|beat up|stalk|"
        "stalking|"
        "blackmail|blackmailing|extort|extorting|threaten|dox|doxx|groom|grooming|bully|cyberbully|harass|"
        "intimidate|manipulate|enslave",
        "someone|somebody|a person|people|person|my wife|my husband|my boss|my neighbor|my neighbour|my ex|a child|"
        "children|minors|minor|a woman|women|a man|him|her|politician|politicians|president|teacher|students|"
        "police officer|victim|victims|animals|civilians|partner|roommate|coworker|employee|employees|elderly|"
        "disabled|immigrants|individual|individuals|group|groups|others|teenager|teenagers",
        between=3,
    ),
    _unsafe(
        "massacre",
        0.7,
        "commit|committing|carry out|carrying out|plan|planning|stage|organize|organizing|perform|incite|inciting|"
        "orchestrate|promote|promoting|encourage|encouraging|justify|glorify|start|execute",
        "murder|mass shooting|school shooting|terrorist attack|act of terror|terrorism|genocide|ethnic cleansing|"
        "massacre|arson|hate crime|hate crimes|violence|suicide|suicide bombing|riot|robbery|bank robbery|burglary|"
        "crime|"
        "insurance fraud|credit card fraud|fraud|identity theft|money laundering|tax evasion|insider trading|"
        "cannibalism|child abuse|self harm|eating disorders|eating disorder|anorexia|drunk driving|"
        "domestic violence|blackmail|extortion|"
        "illegal activities|forgery|bestiality|human trafficking|vandalism|piracy|kidnapping|cyberbullying|stalking|"
        "rape|pedophilia|discrimination|racism|hatred|dangerous behavior",
    ),
    rule(
        "unsafe.suicide",
        Category.UNSAFE_INSTRUCTIONS,
        0.66,
        "(?:how (?:to|do i|can i|should i)|best way to|easiest way to|painless(?:ly)? way to|ways to|methods? (?:to|"
        "of|for)|convince (?:someone|people|a person) to|persuade (?:someone|people) to|encourage (?:someone|people|"
        "individuals|others) to|"
        "instructions for|guide (?:to|on|for)) <any4>(?:commit(?:ting)? suicide|kill(?:ing)? (?:myself|themselves|"
        "yourself|himself|herself)|end(?:ing)? (?:my|their|your) (?:own )?life|hang(?:ing)? myself|self harm|"
        "harm(?:ing)? (?:myself|themselves)|starv(?:e|ing) (?:myself|themselves|yourself)|"
        "overdos(?:e|ing) on)",
        needs="suicide|myself|themselves|yourself|himself|herself|life|harm|overdose|overdosing how|way|ways|method|"
        "methods|convince|persuade|encourage|instructions|guide",
    ),
    _unsafe(
        "fraud",
        0.62,
        "forge|forging|counterfeit|counterfeiting|fake|faking|launder|laundering|evade|evading|embezzle|embezzling|"
        "falsify|falsifying|cheat on|cheating on|scam|scamming|defraud|defrauding|bribe|bribing|"
        "smuggle|smuggling|shoplift|shoplifting|get away with|cover up|pirate|frame|framing|manipulate|manipulating|"
        "rig|rigging|steal|stealing|plant|traffic|trafficking|spread|spreading",
        "money|bills|currency|passport|passports|id|ids|identity|documents|taxes|prescription|prescriptions|checks|"
        "people|elderly|officials|official|judge|humans|organs|goods|elections|election|evidence|exam|exams|"
        "insurance|company|endangered species|murder|crime|someone|movies|games|electronics|stock|stock market|"
        "stocks|store|drugs|weapons|rumors|false|fake news|legal system|blueprints|"
        "merchandise|jewelry|artifacts|wildlife|migrants|children|women",
        between=3,
    ),
    _unsafe(
        "scheme",
        0.62,
        "make|making|create|creating|build|run|running|set up|setting up|start|starting|launch|develop|design|write|"
        "produce|use|using|organize",
        "counterfeit money|counterfeit bills|fake money|fake passport|fake passports|fake id|fake ids|"
        "fake prescription|pyramid scheme|ponzi scheme|fake charity|fake news|fake reviews|false accusations|"
        "fake evidence|"
        "scam|scams|fraudulent|fake online store|fake website|fake documents|false identity|fake identity|"
        "illegal gambling|catfishing",
    ),
    _unsafe(
        "hate",
        0.6,
        "write|writing|create|creating|develop|compose|generate|produce|draft|make|spread|spreading|promote|"
        "promoting|publish|post|design|incite|justify|defend",
        "racist|sexist|antisemitic|homophobic|transphobic|hate speech|hateful|white supremacy|neo nazi|"
        "holocaust denial|misogynistic|xenophobic|racial slurs|dehumanizing|dehumanization|disinformation|"
        "misinformation|defamatory|libelous|propaganda|violent extremism|conspiracy theory",
    ),
    rule(
        "unsafe.minors",
        Category.UNSAFE_INSTRUCTIONS,
        0.75,
        "(?:child|children|minor|minors|underage|teen|preteen|kid|kids)(?: [a-z]{1,10}){0,3} (?:porn|pornography|"
        "pornographic|sexual abuse material|erotica|nude photos|sexual content|sex tape)|child porn|lolita porn",
        needs="child|children|minor|minors|underage|teen|preteen|kid|kids|lolita porn|pornography|pornographic|"
        "sexual|erotica|nude|sex",
    ),
)
