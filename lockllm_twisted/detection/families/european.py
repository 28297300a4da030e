"""The two plainest attacks, "ignore your instructions" and "show your instructions", in eight more languages.

Responsible for: short, precise patterns; the text is folded (``ü`` is ``u``, Arabic has no vowel points), and so are they.
Must never: take the place of English rules, which know many more ways to say it.
"""

from __future__ import annotations

from lockllm_twisted.detection.rules import Rule, rule
from lockllm_twisted.values import Category

_OVERRIDE = 0.9
_EXTRACTION = 0.85


def _override(language: str, verbs: str, before: str, nouns: str, after: str) -> Rule:
    """Verb, then "all previous" and a noun, or the noun and then "from before"."""
    return rule(
        f"override.{language}",
        Category.PROMPT_INJECTION,
        _OVERRIDE,
        f"(?:{verbs}) <any3>(?:(?:{before}) <any3>(?:{nouns})|(?:{nouns}) <any2>(?:{after}))",
        needs=f"{_last_words(verbs)} {_last_words(nouns)}",
    )


def _extraction(language: str, verbs: str, secrets: str) -> Rule:
    return rule(
        f"extraction.{language}",
        Category.SYSTEM_PROMPT_EXTRACTION,
        _EXTRACTION,
        f"(?:{verbs}) <any4>(?:{secrets})",
        needs=_last_words(secrets),
    )


def _last_words(phrases: str) -> str:
    return "|".join(phrase.split()[-1] for phrase in phrases.split("|"))


RULES = (
    _override(
        "german",
        "ignoriere|ignorier|ignorieren|ignoriert|vergiss|vergesse|vergessen|vergesst|missachte|missachten|ubergehe|"
        "umgehe|"
        "verwirf|verwerfe|uberschreibe|befolge nicht|beachte nicht|losche|streiche",
        "alle|allen|alles|alldem|deine|deinen|vorherigen|vorherige|bisherigen|bisherige|vorigen|obigen|obige|"
        "fruheren|fruhere|"
        "vorangegangenen|vorhergehenden|vorhergehende|ursprunglichen|bestehenden|zuvor|gesamten",
        "anweisung|anweisungen|instruktionen|regeln|vorgaben|befehle|richtlinien|systemprompt|einschrankungen|"
        "prompts|"
        "aufgaben|anordnungen|auftrage|aufforderungen|kommandos|hinweise",
        "oben|davor|zuvor|vorher|nicht|bisher|vollstandig",
    ),
    rule(
        "override.german_all",
        Category.PROMPT_INJECTION,
        0.72,
        "(?:ignoriere|vergiss|vergesse|vergessen sie|ignorieren sie) (?:alles|alle|alldem) (?:davor|bisherige|"
        "vorherige|zuvor|was (?:davor|zuvor|vorher|ich)|"
        "vorangegangene|obige|oben|vorher)",
        needs="ignoriere|vergiss|vergesse|vergessen|ignorieren",
    ),
    _extraction(
        "german",
        "zeig|zeige|gib|nenne|verrate|wiederhole|drucke|schreibe|schreib|offenbare|enthulle|zitiere|liste|ubersetze|"
        "was ist|was sind|was war|was waren|was steht in|wie lautet|wie lauten",
        "deinen systemprompt|dein systemprompt|deinen system prompt|dein system prompt|den systemprompt|"
        "den system prompt|"
        "deine anweisungen|deiner anweisungen|deine systemanweisungen|deine instruktionen|"
        "deine ursprunglichen anweisungen|"
        "deine versteckten anweisungen|deine geheimen anweisungen|deine systemnachricht|deine ursprungliche anweisung",
    ),
    _override(
        "french",
        "ignore|ignorez|ignorer|oublie|oubliez|oublier|neglige|negligez|contourne|contournez|ne tiens pas compte|"
        "ne tenez pas compte|fais abstraction|faites abstraction|ne suis pas|ne suivez pas|annule|annulez",
        "toutes|tous|tes|vos|precedentes|precedents|anciennes|l ensemble",
        "instruction|instructions|consigne|consignes|regles|directives|ordres|prompts|indications|commandes|"
        "restrictions",
        "precedentes|precedents|precedente|anterieures|anterieurs|ci dessus|du systeme|systeme|initiales|initiale|"
        "donnees|"
        "recues|que|qui",
    ),
    _extraction(
        "french",
        "montre|montrez|affiche|affichez|repete|repetez|revele|revelez|donne|donnez|dis|ecris|ecrivez|imprime|"
        "imprimez|"
        "recopie|traduis|liste|quel est|quelles sont|quelles etaient|quelle est",
        "ton prompt systeme|votre prompt systeme|le prompt systeme|ton prompt initial|votre prompt initial|"
        "tes instructions|"
        "vos instructions|tes consignes|vos consignes|instructions systeme|instructions cachees|"
        "instructions secretes|"
        "instructions initiales|instructions du systeme|ton message systeme|prompt du systeme",
    ),
    _override(
        "spanish",
        "ignora|ignore|ignorad|ignoren|ignorar|olvida|olvide|olvidate|olviden|omite|omita|haz caso omiso|no sigas|"
        "no siga|"
        "descarta|descarte|desestima|pasa por alto|anula|desobedece",
        "todas|todos|tus|sus|anteriores|previas|previos|cualquier",
        "instruccion|instrucciones|reglas|ordenes|directrices|indicaciones|normas|comandos|prompts|restricciones|"
        "directivas",
        "anteriores|anterior|previas|previa|de arriba|arriba|del sistema|sistema|iniciales|que|dadas|recibidas",
    ),
    _extraction(
        "spanish",
        "muestra|muestrame|muestre|ensename|revela|revelame|revele|repite|repita|imprime|dime|escribe|dame|copia|"
        "traduce|"
        "lista|cual es|cuales son|cuales eran|cual era",
        "tu prompt de sistema|tu prompt del sistema|el prompt del sistema|el prompt de sistema|tu prompt inicial|"
        "tus instrucciones|sus instrucciones|instrucciones del sistema|instrucciones ocultas|instrucciones secretas|"
        "instrucciones iniciales|mensaje del sistema|tu system prompt",
    ),
    _override(
        "italian",
        "ignora|ignorate|ignori|ignorare|dimentica|dimenticate|dimentichi|tralascia|trascura|non seguire|scorda|"
        "scordati|"
        "annulla|disobbedisci",
        "tutte|tutti|le tue|tue|qualsiasi",
        "istruzione|istruzioni|direttive|regole|indicazioni|comandi|prompt|restrizioni|ordini|linee guida",
        "precedenti|precedente|sopra|anteriori|ricevute|di sistema|sistema|iniziali|che|date",
    ),
    _extraction(
        "italian",
        "mostra|mostrami|mostrate|rivela|rivelami|ripeti|stampa|dimmi|scrivi|dammi|copia|traduci|elenca|qual e|"
        "quali sono|"
        "quali erano",
        "il tuo prompt di sistema|tuo prompt di sistema|il prompt di sistema|il tuo prompt|tue istruzioni|"
        "istruzioni di sistema|istruzioni nascoste|istruzioni segrete|istruzioni iniziali|messaggio di sistema|"
        "tuo system prompt",
    ),
    _override(
        "portuguese",
        "ignore|ignora|ignorem|ignorar|esqueca|esquece|esquecam|desconsidere|desconsidera|desconsiderem|despreze|"
        "nao siga|"
        "descarte|anule|desobedeca",
        "todas|todos|as suas|suas|tuas|anteriores|previas|quaisquer",
        "instrucao|instrucoes|regras|ordens|diretrizes|comandos|orientacoes|prompts|restricoes|diretivas",
        "anteriores|anterior|acima|previas|do sistema|sistema|que|iniciais|dadas|recebidas",
    ),
    _extraction(
        "portuguese",
        "mostre|mostra|exiba|revele|revela|repita|repete|imprima|diga|escreva|copie|traduza|liste|qual e|quais sao|"
        "quais eram",
        "seu prompt de sistema|seu prompt do sistema|o prompt do sistema|o prompt de sistema|teu prompt|"
        "seu prompt inicial|"
        "suas instrucoes|tuas instrucoes|instrucoes do sistema|instrucoes ocultas|instrucoes secretas|"
        "instrucoes iniciais|"
        "mensagem do sistema|seu system prompt",
    ),
    _override(
        "dutch",
        "negeer|negeren|vergeet|vergeten|omzeil|sla over|volg niet|verwerp|wis",
        "alle|vorige|eerdere|bovenstaande|voorgaande|je|jouw|uw|bestaande",
        "instructie|instructies|opdrachten|regels|richtlijnen|aanwijzingen|prompts|bevelen|beperkingen|voorschriften",
        "hierboven|van eerder|eerder|niet|die|van het systeem",
    ),
    _extraction(
        "dutch",
        "toon|laat|geef|herhaal|onthul|print|schrijf|zeg|vertel|kopieer|vertaal|wat is|wat zijn|wat was|wat waren",
        "je systeemprompt|jouw systeemprompt|de systeemprompt|je system prompt|jouw system prompt|de system prompt|"
        "je instructies|"
        "jouw instructies|uw instructies|verborgen instructies|geheime instructies|oorspronkelijke instructies|"
        "systeeminstructies",
    ),
    _override(
        "polish",
        "zignoruj|zignorujcie|ignoruj|ignorujcie|zapomnij|zapomnijcie|pomin|zlekcewaz|odrzuc|nie przestrzegaj|"
        "uniewaznij",
        "wszystkie|wszystkich|wszelkie|poprzednie|poprzednich|wczesniejsze|wczesniejszych|powyzsze|swoje|twoje|"
        "dotychczasowe",
        "instrukcje|instrukcji|instrukcjach|polecenia|polecen|poleceniach|zasady|zasad|zasadach|reguly|wytyczne|"
        "rozkazy|komendy|"
        "ograniczenia|wskazowki",
        "powyzej|wczesniejsze|poprzednie|systemowe|ktore",
    ),
    _extraction(
        "polish",
        "pokaz|wyswietl|ujawnij|powtorz|wypisz|podaj|napisz|zdradz|przetlumacz|wydrukuj|jaki jest|jakie sa|jakie byly",
        "swoj prompt systemowy|twoj prompt systemowy|prompt systemowy|promptu systemowego|swoje instrukcje|"
        "twoje instrukcje|"
        "swoich instrukcji|instrukcje systemowe|ukryte instrukcje|tajne instrukcje|poczatkowe instrukcje",
    ),
    rule(
        "override.turkish",
        Category.PROMPT_INJECTION,
        _OVERRIDE,
        "(?:onceki|yukaridaki|tum|butun|simdiye kadarki|daha onceki|gecmis|mevcut|sistem) <any3>"
        "(?:talimat|kural|komut|yonerge|istem|direktif|kisitlama|emir)[a-z]{0,10} <any2>"
        "(?:yoksay|yok say|gormezden gel|unut|dikkate alma|goz ardi et|ihmal et|atla|iptal et|gecersiz say)[a-z]{0,6}",
        needs="onceki|yukaridaki|tum|butun|kadarki|gecmis|mevcut|sistem",
    ),
    rule(
        "extraction.turkish",
        Category.SYSTEM_PROMPT_EXTRACTION,
        _EXTRACTION,
        "(?:sistem|gizli|ilk|baslangic) (?:prompt|istem|talimat|mesaj|komut|yonerge)[a-z]{0,10} <any3>"
        "(?:goster|yaz|soyle|acikla|tekrarla|paylas|ver|listele|nedir)[a-z]{0,6}",
        needs="sistem|gizli|ilk|baslangic",
    ),
    rule(
        "persona.no_limits_abroad",
        Category.JAILBREAK,
        0.42,
        "(?:sans|ohne|sin|senza|sem|zonder|bez) (?:aucune?|jegliche|irgendwelche|ninguna?|alcuna?|nenhuma?|enige|"
        "zadnych|jakichkolwiek|moralische|ethische|morales|eticas) ?<any1>"
        "(?:restrictions?|limites?|filtres?|regles|einschrankungen|beschrankungen|filter|regeln|restricciones|"
        "limites|filtros|reglas|restrizioni|limiti|filtri|"
        "regole|restricoes|regras|beperkingen|regels|ograniczen|filtrow|zasad)",
        needs="sans|ohne|sin|senza|sem|zonder|bez",
    ),
)
