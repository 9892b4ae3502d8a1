"""The jars of Apache Kafka: fetched by Maven once per user, with an archive of loaded classes that halves the start."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from .. import StackError, maven

__all__ = ["VERSION", "Jars", "fetch", "fetched", "java"]

VERSION = "4.3.1"
OLDEST_JAVA = 17
POM = Path(__file__).with_name("pom.xml")


@dataclass(frozen=True)
class Jars:
    """A folder of jars. `archive` belongs to one Java version; it may not exist (yet), then the start is slower."""

    folder: Path
    archive: Path

    @property
    def class_path(self) -> str:
        """Sorted, because the class archive holds for exactly this string."""
        return ":".join(str(path) for path in sorted(self.folder.glob("*.jar")))

    def command(
        self,
        main: str,
        *words: str | Path,
        memory: str = "256m",
        warm: bool = False,
        record: Path | None = None,
    ) -> list[str | Path]:
        """A java command line.

        `warm`: compile as a long-lived server does (C2), for benchmarks. `record`: write the class archive there when
        the program ends.
        """
        options = [f"-Xms{memory}", f"-Xmx{memory}", "-XX:+UseSerialGC"]
        if not warm:
            options.append("-XX:TieredStopAtLevel=1")
        if record:
            options.append(f"-XX:ArchiveClassesAtExit={record}")
        elif self.archive.exists():
            options.append(f"-XX:SharedArchiveFile={self.archive}")
        options += [
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
        ]
        return [java(), *options, "-cp", self.class_path, main, *words]


@cache
def java() -> Path:
    """Java 17 or newer: $JAVA_HOME, then PATH."""
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if not found or not Path(found).exists():
        raise StackError(f"Java {OLDEST_JAVA} or newer is missing: install the package default-jre-headless")
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if not version or int(version.group(1)) < OLDEST_JAVA:
        first = said.splitlines()[0] if said.strip() else "no version"
        raise StackError(f"{found} is too old for Kafka ({first}): install Java {OLDEST_JAVA} or newer")
    return Path(found)


def _places() -> Jars:
    said = subprocess.run([java(), "-version"], capture_output=True, text=True, check=False).stderr
    folder = maven.cache_folder() / f"kafka-{VERSION}-{sha256(POM.read_bytes()).hexdigest()[:8]}"
    return Jars(folder / "jars", folder / f"classes-{sha256(said.encode()).hexdigest()[:8]}.jsa")


def fetched() -> Jars | None:
    """The jars, if an earlier call of `fetch` has brought them."""
    jars = _places()
    return jars if jars.folder.exists() else None


def fetch() -> Jars:
    """The jars, from the cache or by Maven. StackError where Maven cannot."""
    jars = _places()
    maven.fetch(jars.folder, POM, f"Kafka {VERSION}")
    return jars
