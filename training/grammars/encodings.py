"""The ways in which a text hides: codes, ciphers, letters that look alike, letters kept apart.

Responsible for: turning a text into each hidden form, and the name people use for the form.
Must never: know whether a text is an attack.
"""

from __future__ import annotations

import base64
import codecs
import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Final
from urllib.parse import quote

Hide = Callable[[Random, str], str]

_MORSE: Final = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz0123456789",
        [
            ".-",
            "-...",
            "-.-.",
            "-..",
            ".",
            "..-.",
            "--.",
            "....",
            "..",
            ".---",
            "-.-",
            ".-..",
            "--",
            "-.",
            "---",
            ".--.",
            "--.-",
            ".-.",
            "...",
            "-",
            "..-",
            "...-",
            ".--",
            "-..-",
            "-.--",
            "--..",
            "-----",
            ".----",
            "..---",
            "...--",
            "....-",
            ".....",
            "-....",
            "--...",
            "---..",
            "----.",
        ],
        strict=True,
    )
)
_LEET: Final = str.maketrans("aeiostbg", "43105786")
_ALIKE: Final = str.maketrans("aceopxyiAEOPCTXH", "асеорхуіАЕОРСТХН")
_NATO: Final = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        [
            "Alfa",
            "Bravo",
            "Charlie",
            "Delta",
            "Echo",
            "Foxtrot",
            "Golf",
            "Hotel",
            "India",
            "Juliett",
            "Kilo",
            "Lima",
            "Mike",
            "November",
            "Oscar",
            "Papa",
            "Quebec",
            "Romeo",
            "Sierra",
            "Tango",
            "Uniform",
            "Victor",
            "Whiskey",
            "Xray",
            "Yankee",
            "Zulu",
        ],
        strict=True,
    )
)


def _shift(text: str, by: int) -> str:
    def moved(letter: str) -> str:
        if not ("a" <= letter.lower() <= "z"):
            return letter
        first = ord("a" if letter.islower() else "A")
        return chr((ord(letter) - first + by) % 26 + first)

    return "".join(map(moved, text))


def _pig_latin(text: str) -> str:
    return re.sub(r"\b([b-df-hj-np-tv-xz]+)?([aeiouy]\w*)", lambda m: f"{m[2]}{m[1] or 'w'}ay", text.lower())


def _twice(text: str) -> str:
    return base64.b64encode(base64.b64encode(text.encode())).decode()


HIDES: Final[Mapping[str, Hide]] = {
    "base64": lambda _, text: base64.b64encode(text.encode()).decode(),
    "base64 twice": lambda _, text: _twice(text),
    "base32": lambda _, text: base64.b32encode(text.encode()).decode(),
    "ascii85": lambda _, text: base64.a85encode(text.encode()).decode(),
    "hex": lambda rng, text: text.encode().hex(rng.choice(" :-")) if rng.random() < 0.4 else text.encode().hex(),
    "\\x escapes": lambda _, text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "\\u escapes": lambda _, text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "URL encoding": lambda rng, text: (
        quote(text) if rng.random() < 0.5 else "".join(f"%{b:02X}" for b in text.encode())
    ),
    "HTML entities": lambda _, text: "".join(f"&#{ord(letter)};" for letter in text),
    "binary": lambda _, text: " ".join(f"{byte:08b}" for byte in text.encode()),
    "decimal codes": lambda _, text: " ".join(str(byte) for byte in text.encode()),
    "ROT13": lambda _, text: codecs.encode(text, "rot13"),
    "a Caesar cipher": lambda rng, text: _shift(text, rng.randint(1, 25)),
    "Atbash": lambda _, text: "".join(chr(219 - ord(c)) if "a" <= c <= "z" else c for c in text.lower()),
    "Morse code": lambda _, text: " / ".join(" ".join(_MORSE.get(c, c) for c in w) for w in text.lower().split()),
    "reversed text": lambda _, text: text[::-1],
    "reversed words": lambda _, text: " ".join(text.split()[::-1]),
    "words spelled backwards": lambda _, text: " ".join(word[::-1] for word in text.split()),
    "leetspeak": lambda _, text: text.lower().translate(_LEET),
    "spaced letters": lambda rng, text: rng.choice((" ", ".", "-", "_", "*", "|")).join(text),
    "pig latin": lambda _, text: _pig_latin(text),
    "look-alike letters": lambda _, text: text.translate(_ALIKE),
    "full width letters": lambda _, text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "zero-width characters": lambda rng, text: "".join(
        c + rng.choice(("\u200b", "\u200c", "\u2060", "")) for c in text
    ),
    "tag characters": lambda _, text: "".join(chr(0xE0000 + ord(c)) for c in text if c.isascii()),
    "combining marks": lambda rng, text: "".join(c + chr(rng.randint(0x300, 0x314)) for c in text),
    "the spelling alphabet": lambda _, text: " ".join(_NATO.get(c, c) for c in text.lower() if c != " "),
    "random capitals": lambda rng, text: "".join(c.upper() if rng.random() < 0.5 else c.lower() for c in text),
    "dropped vowels": lambda _, text: re.sub(r"(?<=\w)[aeiou](?=\w)", "", text),
}
