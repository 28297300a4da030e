"""What a text may be, a bit each, before it is decoded: a glance tells, so that most texts are looked at by few decoders or none.

Responsible for: the names of these bits.
Must never: be more than names.
"""

SPEAKING = 1
"""Something may say enough to be weighed, or match a precise rule."""

BASE64, BASE85, HEX, BINARY, DECIMAL, MORSE = 2, 4, 8, 16, 32, 64
"""Something may be in an encoding with an alphabet of its own; base32 stands with base64."""

ESCAPED = 128
"""Something may be encoded where it stands: escapes, entities, percent signs, strings in parts, markup."""

ASSEMBLED = 256
"""There may be something for the reader to put together."""

ALPHABETS, SPACED, GLUED, LEET, LOOKALIKE = 512, 1024, 2048, 4096, 8192
"""Something may be disguised in ordinary letters: in others of the alphabet, or backwards; each by itself; without spaces; digits and signs
among them; letters of other scripts."""

DISGUISED = 16383 & ~SPEAKING
"""Any of these."""
