"""`make lint`: every checker over every file, all of them also after one has complained."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from . import StackError
from .layout import ROOT
from .packages import require

__all__ = ["main"]


def main() -> int:
    """0, or 1 when a checker found something; what it found is on the terminal."""
    require("shellcheck")
    tools = Path(sys.executable).parent
    shell = _tracked("*.sh", ".ci/run")
    checks: list[list[str | Path]] = [
        [tools / "ruff", "check", "-q", "."],
        [tools / "ruff", "format", "--check", "-q", "."],
        [tools / "mypy", "--no-error-summary"],
        ["shellcheck", *shell],
    ]
    functions = sorted((ROOT / "db" / "functions").glob("*.sql"))
    if functions:
        checks.append([tools / "pgspot", "--ignore", "PS017", *functions])
    failed = [
        Path(command[0]).name
        for command in checks
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0
    ]
    if failed:
        print(f"lint: {', '.join(failed)} complained", file=sys.stderr)
    return 1 if failed else 0


def _tracked(*patterns: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return listed.stdout.split()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StackError as problem:
        sys.exit(f"error: {problem}")
