"""``python -m training --data DIR --base DIR --teacher DIR``: from the data folder, the own grammars and texts to all weights in the package.

Responsible for: the order of the parts, each in a process of its own: what one writes, the next reads as it starts.
Must never: do a part's work.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Train everything. Raises CalledProcessError where a part fails."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder with train.jsonl.gz")
    parser.add_argument(
        "--base", type=Path, required=True, metavar="DIR", help="all-MiniLM-L6-v2, as transformers saves it"
    )
    parser.add_argument("--teacher", type=Path, required=True, metavar="DIR", help="all-mpnet-base-v2, likewise")
    options = parser.parse_args(arguments)
    given = ["--data", str(options.data)]
    based = ["--base", str(options.base), "--teacher", str(options.teacher)]
    for part, *more in (("train", *given), ("encoder", *given, *based)):
        subprocess.run([sys.executable, "-m", f"training.{part}", *more], check=True)  # noqa: S603 # this package
    return 0


if __name__ == "__main__":
    sys.exit(main())
