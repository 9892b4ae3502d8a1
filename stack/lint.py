"""`make lint`: every checker over every file, all of them also after one has complained."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from . import StackError
from .layout import ROOT
from .packages import require

__all__ = ["check_sql", "main"]

_TOOLS = Path(sys.executable).parent
# as `orchestration db apply` sends them
_SESSION = "set search_path to pg_catalog, pg_temp;\n"
# PS002 speaks of extension scripts, which anybody's function may lie in wait for; our schema lets nobody create
_IGNORED = ("PS002",)


def main() -> int:
    """0, or 1 when a checker found something; what it found is on the terminal."""
    require("shellcheck")
    commands: list[list[str | Path]] = [
        [_TOOLS / "ruff", "check", "-q", "."],
        [_TOOLS / "ruff", "format", "--check", "-q", "."],
        [_TOOLS / "mypy", "--no-error-summary"],
        ["shellcheck", *_tracked("*.sh", ".ci/run")],
    ]
    complained = [
        Path(command[0]).name
        for command in commands
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0
    ]
    if not check_sql():
        complained.append("pgspot")
    if complained:
        print(f"lint: {', '.join(complained)} complained", file=sys.stderr)
    return 1 if complained else 0


def check_sql(files: Iterable[Path] = ()) -> bool:
    """pgspot over `files`, or all the database's: whether it found nothing.

    It calls only `pg_catalog, pg_temp` a safe search_path; ours is empty, which resolves the same names and fewer. So
    it reads copies in which the one stands for the other.
    """
    with tempfile.TemporaryDirectory() as copies:
        names = []
        for number, file in enumerate(files or sorted((ROOT / "db").rglob("*.sql"))):
            copy = Path(copies, f"{number:03} {file.name}")
            text = file.read_text().replace("search_path = ''", "search_path = pg_catalog, pg_temp")
            copy.write_text(_SESSION + text)
            names.append(copy)
        ignored = [word for code in _IGNORED for word in ("--ignore", code)]
        done = subprocess.run(
            [_TOOLS / "pgspot", *ignored, *names], capture_output=True, text=True, check=False
        )
    total = " Errors: 0 Warnings: 0 Unknown: 0"
    found = done.returncode != 0 or total not in done.stdout
    if found:
        print(done.stdout.replace(copies, "").strip(), done.stderr.strip(), sep="\n", file=sys.stderr)
    return not found


def _tracked(*patterns: str) -> list[str]:
    """Files of the checkout, also new ones, but none that git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [name for name in listed.stdout.split("\0") if name]


if __name__ == "__main__":
    try:
        sys.exit(main() if sys.argv[1:] != ["sql"] else not check_sql())
    except StackError as problem:
        sys.exit(f"error: {problem}")
