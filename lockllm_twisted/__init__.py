"""lockllm-twisted: a transparent wire to LLM providers, with a guard at the door.

Five words are used everywhere. A **Passage** is one piece of text that reaches the model. A **Finding** is what one
scanner says of one passage. **Coverage** is what was read, and what was not. A **Verdict** is the decision. An
**Exchange** is one proxied request and its answer.

The public face: `LockLLMResource` for a Site, `Settings`, `hookimpl` for plugins, and the values that these speak in.
"""

from typing import TYPE_CHECKING

from lockllm_twisted.hooks import hookimpl
from lockllm_twisted.settings import Settings
from lockllm_twisted.values import Action, Category, Coverage, Exchange, Finding, Origin, Passage, Sensitivity, Verdict

if TYPE_CHECKING:
    from lockllm_twisted.resource import LockLLMResource

__all__ = [
    "Action",
    "Category",
    "Coverage",
    "Exchange",
    "Finding",
    "LockLLMResource",
    "Origin",
    "Passage",
    "Sensitivity",
    "Settings",
    "Verdict",
    "hookimpl",
]


def __getattr__(name: str) -> object:
    """`LockLLMResource` pulls in twisted.web and the reactor: only whoever asks for it pays."""
    if name == "LockLLMResource":
        from lockllm_twisted.resource import LockLLMResource  # noqa: PLC0415

        return LockLLMResource
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
