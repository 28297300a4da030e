"""The client's side of one exchange, whoever carries it: our own channel, or somebody else's twisted.web Site.

Responsible for: the words in which an exchange reads its request and writes its answer.
Must never: decide anything; what these words do is `channel`'s and `embedding`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IPushProducer

from lockllm_twisted.deadline import Deadline
from lockllm_twisted.door import Entry
from lockllm_twisted.errors import LockLLMError
from lockllm_twisted.wire import Fields, HeaderPairs


class Client(Protocol):
    """One request that was received, and the way back to who sent it.

    ``tail`` is what stands behind the resource's own path, byte for byte, from its slash on. ``entry`` is the caller, once
    let in; ``problem`` what is wrong with the request already. ``deadline`` serves one wait at a time while the answer goes
    on.
    """

    method: bytes
    target: bytes
    tail: bytes
    fields: Fields
    body: bytes
    entry: Entry | None
    problem: LockLLMError | None
    deadline: Deadline
    gone: bool
    begun: bool
    on_gone: Callable[[], object]
    """Called once if the client leaves before the answer's end; ``gone`` is true from then on."""

    def begin(self, status: int, phrase: bytes, headers: HeaderPairs, length: int | None) -> None:
        """The answer's head. ``headers`` without framing; ``length`` in bytes, ``None`` where only the end will tell.

        It leaves with the first `write`, or with `flush`.
        """

    def write(self, data: bytes) -> None:
        """A piece of the answer's body leaves now."""

    def flush(self) -> None:
        """The head leaves now, if it has not."""

    def finish(self) -> None:
        """The answer is complete."""

    def cut(self) -> None:
        """The answer stays incomplete, and must look so: the connection breaks."""

    def attach(self, producer: IPushProducer) -> None:
        """Pause and resume this one as the client reads."""

    def detach(self) -> None:
        """Nothing more will come from the producer."""
