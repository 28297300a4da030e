"""The embedded detector: what a text says once its disguises are off, and what in it speaks for an attack.

Responsible for: views of a text (normalised, decoded) and the findings of the learned model and the rules in them; see
docs/detection.md.
Must never: do I/O but to read its weights once, import Twisted, or keep anything of a text between two calls but unknown words.
"""

from lockllm_twisted.detection.judge import VERSION, Judge, explain, judge
from lockllm_twisted.detection.view import View, normalise
from lockllm_twisted.detection.views import views

__all__ = ["VERSION", "Judge", "View", "explain", "judge", "normalise", "views"]
