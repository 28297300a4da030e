"""Words in the pieces that an encoder knows, as BERT's WordPiece has them: the longest first, from left to right.

Responsible for: `WordPieces`.
Must never: take longer than in proportion to the text.

Source: Wu et al., Google's Neural Machine Translation System (2016), section 4.1; the marks ``##``, ``[CLS]``, ``[SEP]`` and ``[UNK]`` are those
of BERT's vocabularies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+|[^\w\s]|_"
)
"""A letter of a script without spaces, a word of letters and digits, or a mark."""

_LONGEST = 64
"""Characters of a word that is looked up: none that is longer is one."""

FIRST, LAST, UNKNOWN = "[CLS]", "[SEP]", "[UNK]"


class WordPieces:
    """A vocabulary at work."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._number = {piece: number for number, piece in enumerate(pieces)}
        self._longest = max(map(len, self._number))
        self.first, self.last = self._number[FIRST], self._number[LAST]
        self._unknown = [self._number[UNKNOWN]]
        self._parts = {
            number for piece, number in self._number.items() if piece.startswith("##") or not piece.isascii()
        }
        self._parts.update(self._unknown)
        self._words = {number for piece, number in self._number.items() if piece[:1].isalpha()}

    def of(self, text: str) -> list[int]:
        """The numbers of the pieces of a text in lower case."""
        return self.placed(text)[0]

    def placed(self, text: str) -> tuple[list[int], list[int]]:
        """The same, and where in the text the word of each piece starts."""
        numbers: list[int] = []
        starts: list[int] = []
        for match in _WORD.finditer(text):
            pieces = self._word(match[0])
            numbers += pieces
            starts += [match.start()] * len(pieces)
        return numbers, starts

    def spelled(self, numbers: Iterable[int]) -> int:
        """How many pieces are parts of words that are no pieces themselves, letters of other alphabets, or unknown."""
        return sum(number in self._parts for number in numbers)

    def words(self, numbers: Iterable[int]) -> int:
        """How many different pieces are words, or begin one."""
        return len(self._words.intersection(numbers))

    def _word(self, word: str) -> list[int]:
        whole = self._number.get(word)
        if whole is not None:
            return [whole]
        if len(word) > _LONGEST:
            return self._unknown
        found: list[int] = []
        at, mark = 0, ""
        while at < len(word):
            for end in range(min(len(word), at + self._longest), at, -1):
                number = self._number.get(mark + word[at:end])
                if number is not None:
                    break
            else:
                return self._unknown
            found.append(number)
            at, mark = end, "##"
        return found
