"""One letter for all its disguises: Unicode folded to plain letters, invisible characters gone, case kept.

Responsible for: what each character stands for (compatibility forms, marks, invisible ones), and how to trace it back.
Must never: touch a character because of its neighbours, but to compose it; change plain ASCII, control codes aside.
"""

from __future__ import annotations

import re
import unicodedata

from lockllm_twisted.detection.steps import Step, Substitution, matches, substitute

_PUNCTUATION = {
    "‘’‚‛′‵ʹʻʼˈˊ՚": "'",
    "“”„‟″‶": '"',
    "‐‑‒–—―−﹘⁃": "-",
    "⁄∕╱⧸": "/",
    "⟨〈❬‹": "<",
    "⟩〉❭›": ">",
    "ǀ∣": "|",
    "\u2800": " ",
    "\x85\u2028\u2029": "\n",
}

_LETTERS = (
    "ᴀaʙbᴄcᴅdᴇeꜰfɢgʜhɪiᴊjᴋkʟlᴍmɴnᴏoᴘpꞯqʀrꜱsᴛtᴜuᴠvᴡwʏyᴢz"  # small capitals: NFKC leaves them alone
    "ɐaɔcǝeɘeɟfƃgɥhᴉiɾjʞkɯmɹrʇtʌvʍwʎy"  # upside down
    "øoØOłlŁLđdĐDħhĦHŧtŦTıiİIƀbɓbƈcɖdɗdɛeƒfɠgɡgɨiɩiƙkɱmɲnɳnŋnƥpɋqɍrɽrȿsʂsƭtʈtʉuʋvⱳwƴyɏyƶzȥzʐzɑaɒaʟl"
    "ςσΣσ"  # lower() writes a final sigma depending on its neighbours
)
_SEQUENCES = {"æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ß": "ss", "ẞ": "SS", "þ": "th", "Þ": "TH"}

_KEPT_MARKS = (0, 7, 8, 9)
"""Combining classes of marks that spell a letter: nukta, kana voicing, virama. All others are accents, Arabic and
Hebrew vowel points, or ornament (zalgo), and go."""

_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
"""Invisible without being category Cf: fillers, joiners, variation selectors (Default_Ignorable_Code_Point)."""

_REMEMBERED = 160_000
"""Characters whose fold is remembered: all that Unicode has assigned, about 15 MB; the scripts in use take a tenth."""


def _explicit() -> dict[int, str]:
    table = {ord(char): plain for chars, plain in _PUNCTUATION.items() for char in chars}
    table |= {ord(fancy): plain for fancy, plain in zip(_LETTERS[::2], _LETTERS[1::2], strict=True)}
    table |= {ord(fancy): plain for fancy, plain in _SEQUENCES.items()}
    for first in (0x1F150, 0x1F170, 0x1F1E6):  # negative circled, negative squared, regional indicators
        table |= {first + n: chr(ord("A") + n) for n in range(26)}
    table |= {0x24EA: "0", 0x0640: ""}  # circled zero; tatweel only stretches a word
    return table


_EXPLICIT = _explicit()


def _fold(char: str) -> str:
    plain = _EXPLICIT.get(ord(char))
    if plain is not None:
        return plain
    category = unicodedata.category(char)
    if category in {"Cf", "Me", "Cc"} or _INVISIBLE.match(char):
        return ""
    if category == "Cs":
        return "\ufffd"
    if category == "Zs":
        return " "
    if category == "Cn":
        return char
    parts = unicodedata.normalize("NFKD", char)
    kept = "".join(_EXPLICIT.get(ord(part), part) for part in parts if unicodedata.combining(part) in _KEPT_MARKS)
    return unicodedata.normalize("NFC", kept)


class _Folds(dict[int, str]):
    """Worked out on first sight, for `str.translate`."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        plain = _fold(char)
        lower = plain.lower()
        if "".join(map(_fold, lower)) != lower:
            plain = "".join(map(_fold, lower))
        if len(self) < _REMEMBERED:
            self[code] = plain
        return plain


_FOLDS = _Folds()
_FOREIGN = re.compile(r"[^\t-\r\x1c-\x7e]")
_FOREIGN_RUN = re.compile(r"[^\t-\r\x1c-\x7e][^\t-\r\x1c-\x7e]*")
"""All but printable ASCII and white space. Written so that it starts with one set: the engine skips to that at once."""

_CONTROLS = bytes(range(0x09)) + bytes(range(0x0E, 0x1C)) + b"\x7f"

_JOINING = "\u1161-\u1175\u11a8-\u11c2\u3099\u309a"
_JOINS = re.compile(f"[{_JOINING}]")
_COMPOSABLE = re.compile(f"[^{_JOINING}][{_JOINING}]{{1,3}}")
"""Hangul in parts and kana with a voicing mark of its own: the only folded text that NFC still changes much."""


def _plain(match: re.Match[str]) -> str:
    return match[0].translate(_FOLDS)


def _composed(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", match[0])


def fold(text: str) -> tuple[str, list[Step]]:
    """The text with every character folded, and the way back: empty if nothing changed."""
    if text.isascii() and len(text.encode().translate(None, _CONTROLS)) == len(text):
        return text, []
    folded = substitute(_FOREIGN_RUN, _plain, text)
    steps: list[Step] = []
    if folded != text:
        steps.append(Substitution(_FOREIGN, _plain, text))
    if not folded.isascii() and next(matches(_JOINS, folded), None):
        composed = substitute(_COMPOSABLE, _composed, folded)
        if composed != folded:
            steps.append(Substitution(_COMPOSABLE, _composed, folded))
        folded = composed
    return folded, steps
