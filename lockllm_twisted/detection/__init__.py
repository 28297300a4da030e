"""The embedded detector: what a text says once its disguises are off, and what in it speaks for an attack.

Responsible for: views of a text (normalised, decoded) and the findings of the learned model and the rules in them; see
docs/detection.md.
Must never: do I/O but to read its weights once, import Twisted, or keep anything of a text between two calls but unknown words.
"""

from lockllm_twisted.detection.judge import VERSION, Judge, explain, judge
from lockllm_twisted.detection.view import View, normalise
from lockllm_twisted.detection.views import views

__all__ = ["VERSION", "Judge", "View", "compiled", "explain", "judge", "normalise", "views"]


def compiled() -> bool:
    """Whether the inner loops were built in C where this was installed. Without, the same is found, more slowly."""
    try:
        from lockllm_twisted.detection import _encoder, _quick  # noqa: F401, PLC0415 # only asked for
    except ImportError:
        return False
    return True
