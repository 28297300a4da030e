"""The embedded injection scanner: what a text says once its disguises are off, and which rules that meets.

Responsible for: views of a text (normalised, decoded) and findings of the built-in rules in them; see docs/detection.md.
Must never: do I/O, import Twisted, or keep anything of a text between two calls.
"""

from lockllm_twisted.detection.judge import VERSION, explain
from lockllm_twisted.detection.views import View, normalise, views

__all__ = ["VERSION", "View", "explain", "normalise", "views"]
