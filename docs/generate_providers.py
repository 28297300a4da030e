"""Writes docs/providers.md: what the table of providers says, and what docs/providers.toml says of each of them.

Responsible for: one section a provider, its addresses and paths computed by the code that maps them.
Must never: be needed to read the page: it is in the repository, and a test tells when it is stale.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lockllm_twisted.builtin.providers import OWN_ADDRESS, TABLE
from lockllm_twisted.table import TableProvider

HERE = Path(__file__).parent
PAGE = HERE / "providers.md"
PROXY = "http://127.0.0.1:8080/v1/proxy"
ROWS: Mapping[str, TableProvider] = {row.slug: row for row in (*TABLE, *OWN_ADDRESS)}

INTRODUCTION = f"""<!-- Made by docs/generate_providers.py; change providers.toml or the table, not this page. -->
# Providers

Every request goes to `{PROXY}/<slug>/…`. What follows the slug is what the client would ask the
provider for: the vendor's whole path, one with a bare `/v1`, or the endpoint alone. OpenAI's SDK can be pointed at every
provider that speaks its language. Body, query, `:verb`, `%3A` and answers pass byte for byte.

Two ways to authenticate, for all of them:

- **Your own provider key** where its SDK puts it, and the LockLLM key in the header `X-LockLLM-Key`: as below.
- **A stored provider key**: the LockLLM key in the place of the provider's key, and no header. The operator stores the
  provider's key once, with `lockllm providers set-key <slug>` or `[providers.<slug>] api_key_env`; it replaces whatever keys
  the client sent.

`lockllm providers` lists all of this for a running configuration; `lockllm providers test <slug>` asks a provider once
for something free, and tells what came back.

What is said here of scanning is whose text it is taken for. Strings are scanned wherever they stand, known or not: every
value and every key, JSON in strings, base64 text, each line of a batch file, each part of a form.

For all providers alike:

- Pictures, sound, video and PDF are not read, nor what is named by id or URL. They pass, and the header
  `X-LockLLM-Coverage`, the log and the events tell it; `attachments = "block"` refuses them.
- A WebSocket (`Upgrade`) is refused: its prompts would come after the handshake, unseen.
- HTTP/2 and gRPC are not spoken; clients that offer both fall back.
- Clients that insist on TLS (google-genai's Live, boto3 with an API key) need a TLS listener: [Running it](operations.md).
- Absolute URLs in an answer are not changed: whoever follows one leaves the proxy.
- A `base_url` of your own may hold a path. What it ends with, and the provider's paths begin with, is not said twice:
  `https://gateway.example/openai/v1` serves `groq` as well as `https://gateway.example` does.
"""


def page() -> str:
    """The whole page."""
    known = tomllib.loads((HERE / "providers.toml").read_text("utf-8"))
    lines = [INTRODUCTION, *_overview(known)]
    for slug, about in known.items():
        lines += _section(slug, about)
    return "\n".join(lines) + "\n"


def _overview(known: Mapping[str, Any]) -> Iterator[str]:
    yield "| slug | provider | address | its key goes into | an OpenAI client's paths become |"
    yield "|---|---|---|---|---|"
    for slug, about in known.items():
        row = ROWS.get(slug)
        name = f"[{about['name']}](#{_anchor(about['name'])})"
        if row is None:
            yield f"| `{slug}` | {name} | {about['address']} | {about['key']} | see there |"
            continue
        address = "your own" if row in OWN_ADDRESS else f"`{row.origin}`"
        asked = row.target(b"/chat/completions").decode().removesuffix("/chat/completions")
        yield f"| `{slug}` | {name} | {address} | {_place(row, b'/models')} | `{asked}/…` |"
    yield ""


def _section(slug: str, about: Mapping[str, Any]) -> Iterator[str]:
    url = f"{PROXY}/{slug}"
    yield f"## {about['name']}\n"
    if "distribution" in about:
        yield f"A plugin of its own: `pip install {about['distribution']}`, then restart. Without it, its slug is a 404 that says so.\n"
    yield f"Clients: {about['clients']}. [The vendor's reference]({about['docs']}).\n"
    if "settings" in about:
        yield f"```toml\n{about['settings'].strip()}\n```\n"
    variable = f"{slug.upper().replace('-', '_')}_API_KEY"
    snippets = {"python": about.get("python", PYTHON), "js": about.get("js", JS)}
    for language, text in snippets.items():
        yield f"```{language}\n{text.strip().replace('{url}', url).replace('{variable}', variable)}\n```\n"
    if slug in ROWS:
        yield from _paths(ROWS[slug], about["paths"])
    yield f"**Scanned.** {about['scanned']}\n"
    yield f"**Not scanned.** {about['not_scanned']}\n"
    if "traps" in about:
        yield "**Good to know.**\n"
        yield from (f"- {trap}" for trap in about["traps"])
        yield ""


def _paths(row: TableProvider, tails: list[str]) -> Iterator[str]:
    yield "| a client sends | the provider is asked for | a stored key goes into |"
    yield "|---|---|---|"
    for tail in tails:
        yield f"| `{tail}` | `{row.target(tail.encode()).decode()}` | {_place(row, tail.encode())} |"
    yield ""


def _place(row: TableProvider, tail: bytes) -> str:
    place = row.credential(row.target(tail).partition(b"?")[0])
    assert place is not None
    return f"`{place.name.decode()}`" + (" (Bearer)" if place.prefix else "") + (", if any" if place.optional else "")


def _anchor(heading: str) -> str:
    kept = "".join(letter for letter in heading.lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")


PYTHON = """
from openai import OpenAI

client = OpenAI(
    base_url="{url}",
    api_key={variable},
    default_headers={"X-LockLLM-Key": LOCKLLM_KEY},
)
"""
JS = """
import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "{url}",
  apiKey: process.env.{variable},
  defaultHeaders: { "X-LockLLM-Key": process.env.LOCKLLM_KEY },
});
"""

if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
