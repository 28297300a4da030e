"""Upstream: one origin per provider, one pool of connections, treq's client over them, and not a byte changed.

``parser`` reads HTTP/1.1 answers (pure), ``connection`` is one TCP or TLS connection, ``agent`` keeps the pool, makes
the one safe retry, and dresses it as `treq.client.HTTPClient`.
"""

from lockllm_twisted.upstream.agent import OriginAgent, UpstreamClient, origin_agent
from lockllm_twisted.upstream.connection import NothingReceived, UpstreamResponse
from lockllm_twisted.upstream.parser import ProtocolError

__all__ = ["NothingReceived", "OriginAgent", "ProtocolError", "UpstreamClient", "UpstreamResponse", "origin_agent"]
