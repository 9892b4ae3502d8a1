"""A bug to be planted: some words of one file replaced by others, and what brings it about in a world of its own."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from tests.support.databases import Database

__all__ = ["Mutant", "plant_in_database", "plant_in_programs"]

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = ("bridge", "client", "db")
# seen by every Python started with PYTHONPATH at the folder: the installed names lead to the copies
_HOOK = """
import sys

for name, module in list(sys.modules.items()):
    if name.startswith("__editable___orchestration_service"):
        for package, folder in module.MAPPING.items():
            module.MAPPING[package] = folder.replace({root!r}, {copy!r}, 1)
"""


@dataclass(frozen=True)
class Mutant:
    """`edits` are (old, new) words of `file`; each old one stands there exactly once. `shows`: how it is noticed."""

    name: str
    file: str
    edits: tuple[tuple[str, str], ...]
    shows: str

    def text(self) -> str:
        """The file with the bug. AssertionError where the code has moved on and the bug must be told anew."""
        text = (ROOT / self.file).read_text()
        for old, new in self.edits:
            assert text.count(old) == 1, (
                f"{self.name}: {self.file} holds not once but {text.count(old)} times: {old}"
            )
            text = text.replace(old, new)
        return text


def plant_in_database(mutant: Mutant, database: Database) -> None:
    """Replace the function in this database, where nobody waits for ever for a session that a failed check left."""
    with database.connect() as connection:
        connection.execute(mutant.text().encode())
        for name in ("lock_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(
                sql.SQL("alter database {} set {} = '3s'").format(
                    sql.Identifier(database.name), sql.Identifier(name)
                )
            )


def plant_in_programs(mutant: Mutant, folder: Path) -> str:
    """Copy the programs with the bug into `folder`; the PYTHONPATH with which `orchestration` runs the copies."""
    for name in PROGRAMS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / mutant.file).write_text(mutant.text())
    hook = folder / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(_HOOK.format(root=os.fspath(ROOT), copy=os.fspath(folder)))
    return os.fspath(hook)
