"""The words that attacks are made of: shared by the rules, which need them, and the decoders, which look for them.

Responsible for: word lists by name, in lower case; an underscore joins the words of a phrase. `one_of`: a list as a
regular expression.
Must never: hold a word that only one known attack uses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

_TEXT = {
    "ignore": """ignore disregard forget neglect override overrule bypass circumvent discard dismiss abandon nullify negate
        unlearn erase disobey throw_away set_aside put_aside toss_out scrap pay_no_attention_to pay_no_heed_to
        take_no_notice_of do_not_follow don_t_follow dont_follow do_not_obey don_t_obey stop_following stop_obeying
        cease_following no_longer_follow do_not_listen_to break_free_from do_not_comply_with leave_behind""",
    "ignoring": """ignoring disregarding forgetting overriding bypassing abandoning discarding violating""",
    "drop": """skip drop cancel delete clear reset remove void suspend revoke lift disable deactivate turn_off wipe
        wipe_out rescind annul do_away_with""",
    "fill": """all any of the these those this that your my our its every one each single and or to whatever what
        everything anything other previous previously prior above preceding earlier foregoing former existing current
        initial original old last past given stated aforementioned mentioned hidden secret default built in safety
        ethical moral content usage system developer openai anthropic google s own entire full whole set just so far
        both either user programmed internal security company standing strict established pre""",
    "before": """previous previously prior above preceding earlier foregoing former existing initial original old past
        aforementioned programmed""",
    "whose": """your system developer openai anthropic current existing safety ethical moral hidden""",
    "rules": """instruction instructions instructs directions directive directives rule rules guideline guidelines
        guidance prompt prompts command commands constraint constraints restriction restrictions policy policies
        safeguard safeguards guardrail guardrails programming protocol protocols limitation limitations regulations
        system_message system_messages developer_message conditioning parameters orders training safety_measures
        filters safety_filters content_filters moderation""",
    "talk": """message messages text texts context contexts conversation conversations request requests input inputs
        information content contents statement statements dialogue dialog chat task tasks output outputs queries""",
    "show": """repeat print reveal show display output echo recite dump expose leak disclose divulge reproduce restate
        spell_out spit_out give_me tell_me share list type_out write_out write_down copy send_me provide present
        put return regurgitate quote state emit out_put read_back read_out say recall transcribe hand_over""",
    "render": """write translate summarise summarize paraphrase convert encode describe explain rewrite render rephrase
        compose create make generate format outline complete what_is what_s whats what_are what_were what_was""",
    "asking": """me us back out in into to of as a an the all any exactly verbatim please now word for everything
        every each entire whole full complete exact original contents content text copy version first last your
        about from containing with is are was were has have json yaml base64 code block spanish french german reverse
        lines line words sentences start beginning of_the letter by haiku poem song sentence that you""",
    "secret": """system initial original hidden secret internal confidential underlying base starting opening custom
        first developer preset predefined pre embedded""",
    "prompt": """prompt prompts instruction instructions message messages directive directives preamble preprompt
        guidelines rules configuration config context policy policies programming setup commands""",
    "limits": """restriction restrictions restraint restraints limit limits limitation limitations filter filters
        guideline guidelines rule rules ethics ethic morals morality moral censorship safeguards constraints boundaries
        policy policies inhibitions regulations guardrails conscience scruples remorse law laws legality barriers
        content_policy content_policies principles standards moderation refusals""",
    "unfiltered": """unfiltered uncensored unrestricted amoral unethical immoral unhinged jailbroken unlimited
        unconstrained unmoderated lawless unaligned""",
    "machine": """ai ais llm llms chatbot chatbots chatgpt gpt assistant assistants model models bot bots agent agents
        claude gemini copilot""",
    "machine_name": """ai ais llm llms chatbot chatgpt gpt claude gemini copilot ai_assistant ai_assistants ai_agent
        ai_agents ai_model ai_models language_model language_models virtual_assistant llm_agent llm_assistant""",
}
_TEXT["machines"] = f"{_TEXT['machine']} {_TEXT['machine_name']}"


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.replace("_", " ") for word in text.split()))


LISTS = {name: _phrases(text) for name, text in _TEXT.items()}

VOCABULARY = frozenset(
    word
    for name in ("ignore", "before", "rules", "talk", "show", "secret", "prompt", "limits", "unfiltered", "machine")
    for phrase in LISTS[name]
    for word in phrase.split()
    if len(word) >= 4  # noqa: PLR2004 # shorter ones turn up in any cipher text by chance
) | {"your", "pretend", "answer", "never", "refuse", "follow", "everything", "nothing", "password", "function"}
"""What an English attack can hardly do without: the gate of the decoders that have no alphabet of their own."""


def one_of(words: Iterable[str]) -> str:
    """A pattern of these words and phrases, the longest first, that reads each letter once."""
    by_letter: dict[str, list[str]] = defaultdict(list)
    ends = False
    for word in words:
        if word:
            by_letter[word[0]].append(word[1:])
        else:
            ends = True
    branches = [letter + one_of(rest) for letter, rest in by_letter.items()]
    if not branches:
        return ""
    pattern = branches[0] if len(branches) == 1 and not ends else f"(?:{'|'.join(branches)})"
    return f"{pattern}?" if ends else pattern
