"""Bytes of a request -> every text in it, and what could not be read.

Responsible for: passages with their places and origins, seams, coverage, and whether the bytes have exactly one meaning.
Must never: do I/O, change or re-serialise a body, or raise, whatever the bytes are.

The rooms, from the door inwards: ``front`` (which kind of body is this), ``encoding`` (content codings), ``strict``
(JSON with one meaning only), ``multipart`` and ``forms``, ``walk`` (every string of a document), ``attachments`` and
``embedded`` (texts inside strings, and what is no text), ``collect`` (what has been found), ``seams`` (neighbours).
"""

from lockllm_twisted.reading.front import read

__all__ = ["read"]
