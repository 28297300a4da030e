"""What reaches the model and is no text in the request: files, URLs that the provider fetches, stored content.

Responsible for: knowing these by the names that providers give them (the request types of the OpenAI, Anthropic, Google,
Cohere and Bedrock SDKs), at any place but inside free-form JSON.
Must never: hide a string that could be words.
"""

from __future__ import annotations

from typing import Any

from lockllm_twisted.reading import embedded
from lockllm_twisted.reading.embedded import Found

_BLOBS = frozenset({
    "data", "bytes", "body", "file_data", "fileData", "b64_json", "bytesBase64Encoded", "imageBytes", "videoBytes",
})  # fmt: skip
_FETCHED = {
    "image_url": "image", "imageUrl": "image", "audio_url": "audio", "video_url": "video", "file_url": "url",
    "document_url": "url", "source": "url", "fileUri": "url", "file_uri": "url", "gcsUri": "url", "s3Location": "url",
    "server_url": "mcp", "mcp_servers": "mcp",
}  # fmt: skip
_STORED = frozenset({
    "previous_response_id", "previousInteractionId", "previous_interaction_id", "conversation", "conversation_id",
    "file_id", "fileId", "file_ids", "input_file_id", "training_file", "validation_file", "cachedContent",
    "cached_content", "assistant_id", "agent_id", "thread_id", "prompt_id", "vector_store_id", "vector_store_ids",
    "container", "container_id", "skill_id", "memory_store_id", "item_reference", "library_ids",
})  # fmt: skip
_HELD_BY_ID = frozenset({"conversation", "prompt", "container", "cachedContent", "audio"})
"""Objects whose ``id`` names stored content."""
_TOKENS = frozenset({
    "prompt", "input", "context", "prompt_token_ids", "input_ids", "token_ids", "tokens",
})  # fmt: skip
_LOOKUPS = ("web", "file_search", "google_search", "url_context")
"""Tools with which the provider puts texts of others before the model, by the start of their ``type``."""
_LOOKING = frozenset({("type", "tools"), ("id", "plugins")})
"""Where these words stand: OpenAI's and Anthropic's tools, OpenRouter's plugins."""
_LOOKUP_OBJECTS = frozenset({
    "googleSearch", "google_search", "googleSearchRetrieval", "google_search_retrieval", "urlContext", "url_context",
    "fileSearch", "file_search", "enterpriseWebSearch", "enterprise_web_search", "googleMaps", "google_maps", "retrieval",
    "parallelAiSearch", "parallel_ai_search", "exaAiSearch", "exa_ai_search",
    "web_search_options", "search_parameters", "search_settings", "connectors", "data_sources",
})  # fmt: skip
"""The same as objects and lists: Google's tools; OpenAI, xAI, Groq, Cohere and Azure beside the messages."""
_EMBEDS = "prompt_embeds"
"""vLLM: a prompt as a tensor."""

NAMES = _BLOBS | frozenset(_FETCHED) | _STORED | frozenset({"url", "uri", "id", "type", "images", _EMBEDS})
"""The keys whose strings `found` is asked about."""
FILES = _BLOBS | frozenset(_FETCHED) | frozenset({"url", "uri", "image", "images", "mask", "audio", "video", "file"})
"""The keys where a ``data:`` URL is a file. Anywhere else (in a message's text) a model reads its letters."""
CONTAINERS = _STORED | _TOKENS | _LOOKUP_OBJECTS
"""The keys whose lists and objects `held` is asked about."""
FREE_FORM = frozenset({
    "input", "args", "arguments", "response", "metadata", "parameters", "properties", "input_schema", "inputSchema",
    "schema", "parametersJsonSchema", "parameters_json_schema", "json", "json_schema",
})  # fmt: skip
"""Objects below these keys are the application's own JSON: a ``file_id`` in tool arguments says nothing."""

_HOLDERS = {
    "input_audio": "audio", "inputAudio": "audio", "audio": "audio", "image": "image", "video": "video",
    "images": "image",
    "inlineData": "file", "inline_data": "file",
}  # fmt: skip
_MIMES = ("media_type", "mime_type", "mimeType", "mediaType")


def found(holder: dict[str, Any], name: str, key: str, value: str) -> Found | None:
    """What the string at ``key`` of ``holder`` is, where it is no plain text. ``name``: the key that ``holder`` is at."""
    if key in _BLOBS or key == name == "images":  # Ollama: {"images": ["base64", …]}
        if holder.get("type") == "text":  # Anthropic: {"type": "text", "media_type": "text/plain", "data": "words"}
            return None
        mime = next((mime.lower() for label in _MIMES if isinstance(mime := holder.get(label), str)), None)
        encoded = key not in {"data", "body"} or holder.get("type") == "base64"
        return embedded.base64(value, mime, _HOLDERS.get(name) or ("file" if encoded else None))
    if key in _STORED or (key == "id" and (name in _HELD_BY_ID or holder.get("type") == "item_reference")):
        return Found(reason="stored")
    if key in {"url", "uri"}:
        return Found(reason=_FETCHED[name]) if name in _FETCHED else None
    if key in _FETCHED and key != "source":
        return Found(reason=_FETCHED[key])
    looks_up = (key, name) in _LOOKING and value.startswith(_LOOKUPS)
    reason = "web" if looks_up else "tokens" if key == _EMBEDS else None
    return None if reason is None else Found(reason=reason)


def held(key: str, value: Any) -> str | None:
    """The reason why a list or an object is no text: stored ids, tools that look things up, a prompt of token ids."""
    if key in _LOOKUP_OBJECTS:
        return "web"
    if type(value) is not list:
        return None
    if key in _STORED:
        return "stored" if any(type(item) is str for item in value) else None
    return "tokens" if any(type(item) is int or _starts_with_token(item) for item in value) else None


def _starts_with_token(value: Any) -> bool:
    return type(value) is list and bool(value) and type(value[0]) is int
