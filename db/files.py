"""The SQL of one release, as files: their names, their checksums, and what they define."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from . import SCHEMA, SQL_DIR
from .errors import DeployError, FrozenError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_MIGRATION_NAME = re.compile(r"\d{4}\.[a-z0-9][a-z0-9-]*\.sql")
_FUNCTION_NAME = re.compile(r"[a-z_][a-z0-9_]*\.sql")
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_DEFINES = re.compile(
    rf"\bcreate\s+(?:or\s+replace\s+)?(?:function|procedure|aggregate)\s+(?:{SCHEMA}\.)?\"?(\w+)\"?\s*\(",
    re.IGNORECASE,
)
_TRIGGERS = re.compile(
    r"\bcreate\s+(?:or\s+replace\s+)?(?:constraint\s+)?trigger\s+\"?(\w+)\"?", re.IGNORECASE
)
_PARAMETERS = re.compile(rf"\bset\s+({SCHEMA}\.\w+)\s*(?:=|\bto\b)", re.IGNORECASE)


@dataclass(frozen=True)
class SqlFile:
    """One file, its `text` exactly as on disk."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def id(self) -> str:
        """A migration's id (`0002.tables`) or a function's name."""
        return self.path.name.removesuffix(".sql")

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def code(self) -> str:
        """The text without comments."""
        return _COMMENTS.sub(" ", self.text)


@dataclass(frozen=True)
class Release:
    """All SQL of one release. `frozen` maps the names of released migrations to their sha256."""

    root: Path
    migrations: Sequence[SqlFile]
    functions: Sequence[SqlFile]
    grants: SqlFile | None
    cron: SqlFile | None
    frozen: Mapping[str, str]

    @classmethod
    def load(cls, root: Path = SQL_DIR) -> Release:
        """Read `root`. Raises DeployError for a misnamed file, FrozenError for a changed released migration."""
        release = cls(
            root=root,
            migrations=_read_folder(root / "migrations", _MIGRATION_NAME, "0007.add-something.sql"),
            functions=_read_folder(root / "functions", _FUNCTION_NAME, "report.sql for function report"),
            grants=read_file(root / "grants.sql"),
            cron=read_file(root / "cron.sql"),
            frozen=_read_frozen(root / "migrations" / "frozen.sha256"),
        )
        release._check_numbers()
        release._check_frozen()
        return release

    @property
    def version(self) -> str:
        """The id of the newest migration: what the schema of this release is called."""
        return self.migrations[-1].id if self.migrations else ""

    @cached_property
    def functions_sha256(self) -> str:
        """One checksum over everything that is applied again each time."""
        digest = hashlib.sha256()
        for file in (*self.functions, self.grants):
            if file is not None:
                digest.update(f"{file.name}\0{file.sha256}\n".encode())
        return digest.hexdigest()

    @cached_property
    def defines(self) -> Counter[str]:
        """How many functions of each name the function files define."""
        return Counter(name.lower() for file in self.functions for name in _DEFINES.findall(file.code))

    @cached_property
    def triggers(self) -> frozenset[str]:
        """The names of all triggers that function files and migrations create."""
        files = (*self.functions, *self.migrations)
        return frozenset(name.lower() for file in files for name in _TRIGGERS.findall(file.code))

    @cached_property
    def parameters(self) -> list[str]:
        """Our own settings that functions set by a SET clause, which the owner must be allowed to."""
        return sorted({name.lower() for file in self.functions for name in _PARAMETERS.findall(file.code)})

    def misnamed(self) -> list[str]:
        """A sentence for each function file that does not define exactly the function it is named after."""
        found = []
        for file in self.functions:
            names = {name.lower() for name in _DEFINES.findall(file.code)}
            if names != {file.id}:
                what = ", ".join(sorted(names)) or "no function"
                found.append(f"functions/{file.name} defines {what}, not {file.id} alone")
        return found

    def place(self, sql: str, position: int) -> str | None:
        """`functions/report.sql line 12`: where character `position` (from 1) of statement `sql` stands."""
        named = [(f"functions/{file.name}", file) for file in self.functions]
        named += [(f"migrations/{file.name}", file) for file in self.migrations]
        named += [(file.name, file) for file in (self.grants, self.cron) if file]
        for name, file in named:
            start = file.text.find(sql.strip())
            if start >= 0:
                return f"{name} line {file.text.count(chr(10), 0, start + position - 1) + 1}"
        return None

    def _check_numbers(self) -> None:
        for number, count in Counter(file.name[:4] for file in self.migrations).items():
            if count > 1:
                raise DeployError(f"{count} migrations bear the number {number}", "renumber the newest")

    def _check_frozen(self) -> None:
        present = {file.name: file for file in self.migrations}
        newest = max(self.frozen, default="")
        for name, digest in self.frozen.items():
            if name not in present:
                raise FrozenError(f"the released migration {name} is missing", "restore the file")
            if present[name].sha256 != digest:
                raise FrozenError(
                    f"the released migration {name} was changed", "restore the file and write a new migration"
                )
        for name in present:
            if name not in self.frozen and name < newest:
                raise FrozenError(
                    f"the new migration {name} stands before the released {newest}",
                    "give it the next free number",
                )


def read_file(path: Path) -> SqlFile | None:
    """The file, or None where there is none. Raises DeployError if it is not UTF-8."""
    if not path.is_file():
        return None
    try:
        return SqlFile(path, path.read_bytes().decode())
    except UnicodeDecodeError:
        raise DeployError(f"{path.parent.name}/{path.name} is not UTF-8", "save it as UTF-8") from None


def _read_folder(folder: Path, pattern: re.Pattern[str], example: str) -> list[SqlFile]:
    if not folder.is_dir():
        raise DeployError(f"the folder {folder.name} of the SQL is missing", "install the package again")
    files = []
    for path in sorted(folder.iterdir()):
        if path.suffix not in (".sql", ".py") or path.name.startswith("."):
            continue
        if not pattern.fullmatch(path.name):
            raise DeployError(f"{folder.name}/{path.name} is misnamed", f"a name is like {example}")
        if file := read_file(path):
            files.append(file)
    return files


def _read_frozen(path: Path) -> dict[str, str]:
    """`sha256sum`'s own format, so that `sha256sum -c frozen.sha256` works too."""
    if not path.is_file():
        return {}
    frozen = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            digest, _, name = line.partition(" ")
            frozen[name.strip().lstrip("*")] = digest
    return frozen
