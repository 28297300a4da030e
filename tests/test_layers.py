"""Imports only go down: the layers of docs/architecture.md, read with ``ast``."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "lockllm_twisted"

LAYERS = {
    "values": 0,
    "errors": 0,
    "keys": 1,
    "wire": 1,
    "head": 1,
    "reading": 1,
    "detection": 1,
    "evaluation": 1,
    "allowlist": 1,
    "hooks": 1,
    "dialects": 1,
    "table": 1,
    "settings": 1,
    "logs": 1,
    "threads": 1,
    "renewal": 1,
    "door": 1,
    "options": 1,
    "answers": 1,
    "conformance": 1,
    "chunks": 1,
    "deadline": 1,
    "sending": 1,
    "client": 1,
    "builtin": 2,
    "registry": 2,
    "scan": 2,
    "policy": 2,
    "upstream": 2,
    "local": 2,
    "relay": 2,
    "store": 2,
    "guard": 3,
    "core": 3,
    "embedding": 4,
    "serving": 4,
    "proxy": 4,
    "turn": 4,
    "channel": 4,
    "site": 4,
    "api": 4,
    "resource": 4,
    "service": 5,
    "testing": 5,
    "tap": 6,
    "demo": 6,
    "cli": 6,
}
"""Room -> layer. The package's own face is above all of them but the process."""

MAY_IMPORT = {
    # Rooms of one layer don't know each other, but for these.
    ("hooks", "settings"),
    ("head", "wire"),
    ("door", "hooks"),
    ("door", "wire"),
    ("door", "keys"),
    ("options", "settings"),
    ("options", "wire"),
    ("settings", "keys"),
    ("reading", "hooks"),
    ("dialects", "hooks"),
    ("table", "hooks"),
    ("table", "dialects"),
    ("answers", "hooks"),
    ("allowlist", "reading"),
    ("renewal", "logs"),
    ("conformance", "hooks"),
    ("policy", "scan"),
    ("registry", "builtin"),
    ("chunks", "wire"),
    ("client", "deadline"),
    ("client", "door"),
    ("client", "wire"),
    ("core", "guard"),
    ("serving", "embedding"),
    ("proxy", "embedding"),
    ("channel", "turn"),
    ("site", "channel"),
    ("proxy", "serving"),
    ("api", "serving"),
    ("resource", "proxy"),
    ("resource", "api"),
    ("resource", "serving"),
    ("tap", "service"),
    ("cli", "demo"),
}

TWISTED_WEB_AND_INTERNET = {
    "upstream",
    "local",
    "relay",
    "deadline",
    "sending",
    "client",
    "turn",
    "embedding",
    "channel",
    "site",
    "serving",
    "proxy",
    "resource",
    "api",
    "core",
} | {
    "service",
    "threads",
    "renewal",
    "tap",
    "demo",
    "store",
    "cli",
    "testing",
}
"""The rooms that may touch the network or the reactor; ``scan`` has `twisted.internet.defer` and the clock's interface."""


def rooms() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> list[tuple[str, bool]]:
    """Modules that a file imports, and whether only a type checker sees it."""
    tree = ast.parse(path.read_text())
    checking = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in checking) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.module, id(node) in checking))
            if node.module == "lockllm_twisted":
                found += [(f"lockllm_twisted.{alias.name}", id(node) in checking) for alias in node.names]
    return found


def test_every_room_has_its_layer() -> None:
    assert {room_of(path) for path in rooms()} == set(LAYERS)


@pytest.mark.parametrize("path", rooms(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    here = room_of(path)
    for name, only_types in imports(path):
        if not name.startswith("lockllm_twisted.") or only_types:
            continue
        there = name.split(".")[1].lstrip("_")  # _wire is the compiled twin of wire
        if there == here:
            continue
        if there not in LAYERS:
            assert here in ("tap", "cli", "testing", "service"), f"{here} imports the package's face"
            continue
        assert LAYERS[there] < LAYERS[here] or (here, there) in MAY_IMPORT, f"{here} must not import {there}"


@pytest.mark.parametrize("path", rooms(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_edge_touches_the_network(path: Path) -> None:
    here = room_of(path)
    if here in TWISTED_WEB_AND_INTERNET:
        return
    allowed = ("twisted.internet.defer", "twisted.internet.interfaces") if here == "scan" else ()
    for name, only_types in imports(path):
        if name.startswith(("twisted.web", "twisted.internet")) and not only_types:
            assert name in allowed, f"{here} must not import {name}"


@pytest.mark.parametrize("path", rooms(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    if path.name != "__init__.py":
        assert "Responsible for" in docstring
        assert "Must never" in docstring


@pytest.mark.parametrize("path", sorted((PACKAGE / "builtin").glob("*.py")), ids=lambda path: path.name)
def test_what_ships_with_the_core_lives_like_a_plugin(path: Path) -> None:
    for name, _ in imports(path):
        if name.startswith("lockllm_twisted.") and not name.startswith("lockllm_twisted.builtin"):
            assert LAYERS[name.split(".")[1]] <= 1


def test_the_twisted_plugin_is_in_no_package() -> None:
    assert not list((ROOT / "twisted").rglob("__init__.py"))


def test_nothing_is_postponed() -> None:
    for path in [*rooms(), *(ROOT / "tests").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]:
        if "node_modules" not in path.parts and path != Path(__file__):
            text = path.read_text()
            assert "TODO" not in text, path
            assert "FIXME" not in text, path
