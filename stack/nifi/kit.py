"""What a NiFi server consists of: fetched by Maven once per user, two bundles packed from their jars."""

from __future__ import annotations

import os
import shutil
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

from .. import maven
from ..packages import require

__all__ = ["VERSION", "Kit", "fetch", "fetched"]

VERSION = "2.3.0"
POM = Path(__file__).with_name("pom.xml")
GROUP = "org.apache.nifi"
PACKED = {
    "nifi-standard-nar": ("nifi-standard-processors", "nifi-standard-shared-nar"),
    "nifi-update-attribute-nar": ("nifi-update-attribute-", "nifi-standard-nar"),
}
"""Bundles that are not published, by name: how the jars that only they have begin, and the bundle they build on."""
_OWN = tuple(own for own, _ in PACKED.values())
_PYTHON = {"nifi-python-framework": "framework", "nifi-python-extension-api": "api"}
_DRIVER = "postgresql"
_INSIDE = "META-INF/bundled-dependencies"
_POM = "{http://maven.apache.org/POM/4.0.0}"


@dataclass(frozen=True)
class Kit:
    """A folder: `lib` (class path and bundles), `python` (`framework`, `api`), `drivers`."""

    folder: Path

    @property
    def lib(self) -> Path:
        return self.folder / "lib"

    @property
    def python(self) -> Path:
        return self.folder / "python"

    @property
    def unpacked(self) -> Path:
        """Its bundles as NiFi unpacks them; there after a first start."""
        return self.folder / "nar"

    @property
    def driver(self) -> Path:
        """The JDBC driver of PostgreSQL."""
        return next((self.folder / "drivers").glob(f"{_DRIVER}-*.jar"))

    @property
    def class_path(self) -> str:
        return ":".join(str(path) for path in sorted(self.lib.glob("*.jar")))


def _place() -> Kit:
    digest = sha256(POM.read_bytes() + Path(__file__).read_bytes()).hexdigest()[:8]
    return Kit(maven.cache_folder() / f"nifi-{VERSION}-{digest}")


def fetched() -> Kit | None:
    """The kit, if an earlier call of `fetch` has brought it."""
    kit = _place()
    return kit if kit.folder.exists() else None


def fetch() -> Kit:
    """The kit, from the cache or by Maven. StackError where Maven cannot."""
    kit = _place()
    if not kit.folder.exists():
        require("java", "maven")
    maven.fetch(kit.folder, POM, f"NiFi {VERSION}", _assemble)
    return kit


def _assemble(everything: Path, kit: Path) -> None:
    lib = kit / "lib"
    lib.mkdir(parents=True)
    (kit / "drivers").mkdir()
    wanted = _direct_dependencies()
    for artifact, version in wanted.items():
        jar, nar = everything / f"{artifact}-{version}.jar", everything / f"{artifact}-{version}.nar"
        if artifact in _PYTHON:
            with zipfile.ZipFile(jar) as packed:
                names = [name for name in packed.namelist() if name.endswith(".py")]
                packed.extractall(kit / "python" / "unpacked", names)
        elif artifact == _DRIVER:
            shutil.move(jar, kit / "drivers")
        elif nar.exists():
            shutil.move(nar, lib)
        elif not artifact.startswith(_OWN):
            shutil.move(jar, lib)
    unpacked = kit / "python" / "unpacked"
    (unpacked / "framework").rename(kit / "python" / "framework")
    (kit / "python" / "api").mkdir()
    (unpacked / "nifiapi").rename(kit / "python" / "api" / "nifiapi")
    shutil.rmtree(unpacked)
    for jar in everything.glob("nifi-python-*.jar"):
        jar.unlink()
    for bundle, (own, parent) in PACKED.items():
        left_out = _bundled(lib, parent)
        others = tuple(each for each in _OWN if each != own)
        jars = [
            jar
            for jar in sorted(everything.glob("*.jar"))
            if jar.name not in left_out and not jar.name.startswith(others)
        ]
        _pack(lib / f"{bundle}-{VERSION}.nar", bundle, parent, jars)


def _direct_dependencies() -> dict[str, str]:
    """Artifact and version of all the POM names itself."""
    project = ElementTree.parse(POM).getroot()  # noqa: S314 - our own file
    return {
        str(each.findtext(f"{_POM}artifactId")): str(each.findtext(f"{_POM}version"))
        for each in project.iter(f"{_POM}dependency")
    }


def _bundled(lib: Path, bundle: str | None) -> set[str]:
    """The jars in a bundle and in those it builds on: names with versions, without those of other versions."""
    names: set[str] = set()
    while bundle:
        with zipfile.ZipFile(lib / f"{bundle}-{VERSION}.nar") as packed:
            names |= {PurePosixPath(name).name for name in packed.namelist() if name.startswith(_INSIDE)}
            manifest = packed.read("META-INF/MANIFEST.MF").decode()
        parents = [
            line.partition(": ")[2].strip()
            for line in manifest.splitlines()
            if line.startswith("Nar-Dependency-Id:")
        ]
        bundle = parents[0] if parents else None
    return names


def _pack(nar: Path, bundle: str, parent: str, jars: Iterable[Path]) -> None:
    """A bundle is a zip file. NiFi finds nothing in one whose folders have no entries."""
    manifest = {
        "Manifest-Version": "1.0",
        "Nar-Id": bundle,
        "Nar-Group": GROUP,
        "Nar-Version": VERSION,
        "Nar-Dependency-Group": GROUP,
        "Nar-Dependency-Id": parent,
        "Nar-Dependency-Version": VERSION,
    }
    with zipfile.ZipFile(nar, "w", zipfile.ZIP_STORED) as packed:
        for folder in ("META-INF/", f"{_INSIDE}/"):
            packed.writestr(zipfile.ZipInfo(folder), b"")
        packed.writestr(
            "META-INF/MANIFEST.MF", "".join(f"{name}: {value}\n" for name, value in manifest.items())
        )
        for jar in jars:
            packed.write(jar, f"{_INSIDE}/{os.fspath(jar.name)}")
