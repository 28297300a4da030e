"""Who speaks where in the bodies of each vendor's API, and which path has which body.

Responsible for: labels in the order in which the model reads them, for each endpoint that carries text.
Must never: hide a text (what has no label is scanned as ``unknown``), or fail on a shape that it does not know.

The rooms: ``shapes`` (what bodies are made of), ``family`` (paths by their tail), and one for each vendor. A plugin may use
the families here for what is served in a known language.
"""

from lockllm_twisted.dialects.anthropic import ANTHROPIC
from lockllm_twisted.dialects.bedrock import BEDROCK
from lockllm_twisted.dialects.cohere import COHERE, COMPATIBLE
from lockllm_twisted.dialects.family import Family
from lockllm_twisted.dialects.google import GEMINI, VERTEX
from lockllm_twisted.dialects.mistral import MISTRAL
from lockllm_twisted.dialects.openai import OPENAI
from lockllm_twisted.dialects.others import AI21, HUGGINGFACE, OLLAMA, PERPLEXITY, REPLICATE

__all__ = [
    "AI21",
    "ANTHROPIC",
    "BEDROCK",
    "COHERE",
    "COMPATIBLE",
    "GEMINI",
    "HUGGINGFACE",
    "MISTRAL",
    "OLLAMA",
    "OPENAI",
    "PERPLEXITY",
    "REPLICATE",
    "VERTEX",
    "Family",
]
