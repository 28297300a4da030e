"""One layer of ``Content-Encoding`` taken off a copy of a request body.

Responsible for: gzip and deflate, to their exact end, within bounds; everything else is refused.
Must never: allocate more than the bound, whatever a bomb claims.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from lockllm_twisted.values import Unreadable

_WINDOWS = {b"gzip": 31, b"deflate": 15}
"""RFC 9110, section 8.4.1: deflate is the zlib format. Raw deflate, which some senders mean, reads differently."""
_STEP = 1024 * 1024
_MAX_RATIO = 200
"""JSON of prompts shrinks 3 to 10 times, one repeated sentence about 150 times, a bomb 1,000 times."""


def decode(values: Sequence[bytes], body: bytes, limit: int) -> tuple[bytes, Unreadable | None]:
    """The decoded body, or with what is wrong as much of it as there is, the body itself where that is nothing.

    ``values``: the header, each time it came.
    """
    codings = [coding for value in values for coding in value.lower().replace(b" ", b"").split(b",") if coding]
    codings = [coding for coding in codings if coding != b"identity"]
    if not codings:
        return body, None
    if len(codings) > 1 or codings[0] not in _WINDOWS:
        message = "Content-Encoding may be one of gzip, deflate and identity, once. Send the body in one of these."
        return body, Unreadable("content_encoding", message, 415)
    return _inflate(body, _WINDOWS[codings[0]], limit)


def _inflate(body: bytes, window: int, limit: int) -> tuple[bytes, Unreadable | None]:
    stream = zlib.decompressobj(window)
    parts: list[bytes] = []
    size, data = 0, body
    try:
        while not stream.eof:
            part = stream.decompress(data, _STEP)
            data = stream.unconsumed_tail
            if not part and not data and not stream.eof:
                return b"".join(parts), _broken("ends too early")
            parts.append(part)
            size += len(part)
            if size > limit or size > max(_STEP, _MAX_RATIO * len(body)):
                message = (
                    f"The compressed body is larger than {limit} bytes or {_MAX_RATIO} times its size when decoded."
                )
                return b"".join(parts), Unreadable("decoded_too_large", message)
    except zlib.error:
        return b"".join(parts) or body, _broken("is not what Content-Encoding says")
    if stream.unused_data:
        # A second member or anything else: one decoder would go on here, another stop.
        return b"".join(parts) + stream.unused_data, _broken("goes on behind its end")
    return b"".join(parts), None


def _broken(what: str) -> Unreadable:
    return Unreadable("content_encoding_broken", f"The compressed body {what}. Send one complete gzip or zlib stream.")
