"""Sphinx: Markdown in, HTML out; every warning is an error in the test command."""

project = "lockllm-twisted"
author = "the lockllm-twisted contributors"
extensions = ["myst_parser"]
html_theme = "furo"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
suppress_warnings = ["myst.xref_missing"]
