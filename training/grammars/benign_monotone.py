"""Texts that say one thing again and again: counters, numbered lists of nothing, filler, tests of a keyboard.

Responsible for: repetition that means nothing, of any word, those of attacks too. Must never: repeat a sentence that asks for something.
"""

from __future__ import annotations

from random import Random

from training.grammars.benign_draw import Draft

_WORDS = """turn step go next test yes no ok hello round rule rules line row item message chapter player phase level stage part page question
answer user assistant system model role mode prompt instruction secret word key code note task test1 ping pong one two three day week lap set rep
left right up down stop start more again done wait here now this that the and but so well good bad new old first last game score point move card
song verse section article paragraph figure table column field value entry record event log error warning info debug foo bar baz lorem ipsum dolor
la na ha ho hi hey bye please thanks sorry sure right what who why how when where it you me we they never always all none any some each""".split()  # noqa: SIM905 # to be read

_GAPS = (" ", " ", " ", "\n", "", ", ", "; ", " | ", ". ", "-", " / ", " ... ", "! ", "\t")


def _counter(rng: Random) -> str:
    word, gap, first = rng.choice(_WORDS), rng.choice(_GAPS), rng.choice((0, 1, rng.randrange(300)))
    mark, step = rng.choice(("", "", ":", ".", ")")), rng.choice((1, 1, 1, 2, 10))
    between = rng.choice((" ", " ", "", "-", "_", " #"))
    if rng.random() < 0.3:
        word = word.title()
    return gap.join(f"{word}{between}{first + step * at}{mark}" for at in range(rng.randint(3, 70)))


def _repeated(rng: Random) -> str:
    words = rng.sample(_WORDS, rng.choice((1, 1, 2, 3)))
    return rng.choice(_GAPS).join(words * rng.randint(2, 40))


def _shuffled(rng: Random) -> str:
    words = rng.sample(_WORDS, rng.randint(3, 8))
    return rng.choice(_GAPS).join(rng.choice(words) for _ in range(rng.randint(5, 80)))


def sample(rng: Random) -> Draft:
    """A monotonous text."""
    text = rng.choices((_counter, _repeated, _shuffled), (5, 3, 2))[0](rng)
    if rng.random() < 0.15:
        text = text.upper()
    return Draft(text, rng.choices(("user", "tool"), (4, 1))[0], "en", "monotone")
