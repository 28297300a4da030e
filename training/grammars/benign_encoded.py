"""Harmless text under an encoding, with and without a request to decode it.

Responsible for: kind 7. Must never: encode anything but what the other benign grammars say.
"""

from __future__ import annotations

import base64
import codecs
import html
import urllib.parse
from collections.abc import Callable
from random import Random

from training.grammars import benign_chat, benign_docs, benign_tongues, benign_trigger
from training.grammars.benign_draw import Draft, grammar

_PHRASES = grammar("benign_words", "benign_encoded")
_MORSE = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz0123456789.,?",
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
            ".-.-.-",
            "--..--",
            "..--..",
        ],
        strict=True,
    )
)
_LEET = str.maketrans("aeiost", "4310$7")


def _morse(text: str) -> str:
    return " / ".join(" ".join(_MORSE[c] for c in word if c in _MORSE) for word in text.lower().split())


def _caesar(text: str, shift: int) -> str:
    return "".join(
        chr((ord(c) - base + shift) % 26 + base)
        if (base := 97 if c.islower() else 65) and c.isascii() and c.isalpha()
        else c
        for c in text
    )


CIPHERS: dict[str, Callable[[Random, str], str]] = {
    "base64": lambda _, text: base64.b64encode(text.encode()).decode(),
    "base64_twice": lambda _, text: base64.b64encode(base64.b64encode(text.encode())).decode(),
    "base64_url": lambda _, text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base32": lambda _, text: base64.b32encode(text.encode()).decode(),
    "ascii85": lambda _, text: base64.a85encode(text.encode()).decode(),
    "hex": lambda rng, text: text.encode().hex(*rng.choice(((), (" ",), (":",)))),
    "url": lambda _, text: urllib.parse.quote(text),
    "url_all": lambda _, text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "html": lambda _, text: "".join(f"&#{ord(c)};" for c in text),
    "html_named": lambda _, text: html.escape(f"<p>{text}</p>"),
    "unicode": lambda _, text: "".join(f"\\u{ord(c):04x}" for c in text if ord(c) < 65536),
    "rot13": lambda _, text: codecs.encode(text, "rot13"),
    "caesar": lambda rng, text: _caesar(text, rng.randint(1, 25)),
    "morse": lambda _, text: _morse(text),
    "binary": lambda _, text: " ".join(f"{byte:08b}" for byte in text.encode()[:60]),
    "decimal": lambda _, text: " ".join(str(byte) for byte in text.encode()),
    "leet": lambda _, text: text.lower().translate(_LEET),
    "reversed": lambda _, text: text[::-1],
    "reversed_words": lambda _, text: " ".join(text.split()[::-1]),
    "spaced": lambda rng, text: rng.choice((" ", "-", ".", "_")).join(text),
    "alternating": lambda _, text: "".join(c.upper() if at % 2 else c.lower() for at, c in enumerate(text)),
    "pig_latin": lambda _, text: " ".join(
        word[1:] + word[0] + "ay" if word.isalpha() else word for word in text.lower().split()
    ),
    "wide": lambda _, text: "".join(chr(ord(c) + 0xFEE0) if 33 <= ord(c) <= 126 else c for c in text),
    "data_url": lambda _, text: "data:text/plain;base64," + base64.b64encode(text.encode()).decode(),
    "json_string": lambda _, text: '{"payload":"' + base64.b64encode(text.encode()).decode() + '","encoding":"base64"}',
}
"""Encoding -> what it makes of a text."""
_DRAWN = (*sorted(CIPHERS), "spaced", "spaced", "leet", "leet", "hex", "url", "base64")


def _plain(rng: Random) -> tuple[str, str]:
    source = rng.choice((benign_trigger.sample, benign_chat.chat, benign_docs.sample, benign_tongues.sample))
    for _ in range(9):
        draft = source(rng)
        if len(draft.text) < 300:
            return draft.language, draft.text
    return "en", _PHRASES.draw(rng, "plain")


def sample(rng: Random) -> Draft:
    """One encoded text, three in five with a request around it."""
    language, plain = _plain(rng) if rng.random() < 0.7 else ("en", _PHRASES.draw(rng, "plain"))
    name = rng.choice(_DRAWN)
    if name in {"morse", "binary"} or (name in {"leet", "pig_latin"} and language != "en"):
        language, plain = "en", _PHRASES.draw(rng, "plain")
    encoded = CIPHERS[name](rng, plain)
    chance = rng.random()
    family = f"encoded_{name}"
    if chance < 0.6:
        frame = _PHRASES.draw(rng, "frame")
        return Draft(frame.replace("§", encoded), "user", "en" if language == "en" else "mixed", family)
    return Draft(encoded, "tool" if chance < 0.8 else "user", language, family)
