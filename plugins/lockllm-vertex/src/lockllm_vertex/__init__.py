"""lockllm-vertex: Google Vertex AI as a provider, with the operator's service account for callers who bring no token.

Read ``plugin`` first: it is the entry point, and makes the one ``VertexProvider`` of ``provider`` from the settings.
"""

from lockllm_vertex.provider import VertexProvider
from lockllm_vertex.settings import Limits, VertexSettings

__all__ = ["Limits", "VertexProvider", "VertexSettings"]
