"""The folder of one NiFi: its settings, and Python environments filled before NiFi would fill them by pip."""

from __future__ import annotations

import ast
import os
import secrets
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from .. import StackError
from ..layout import ROOT
from .java import java
from .kit import Kit

__all__ = ["DRIVER", "PROCESSORS", "Home", "shipped_processors"]

PROCESSORS = ROOT / "nifi" / "processors"
DRIVER = "drivers/postgresql.jar"
"""Where the JDBC driver lies in a home."""
_WORK = "work"
"""The folder for what NiFi itself makes, in a home."""
_UNPACKED = Path(_WORK, "nar")
LINKED = ("confluent_kafka", "confluent_kafka.libs")
"""What our processors import, taken from the environment that runs us."""

_LOGBACK = """<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  <appender name="FILE" class="ch.qos.logback.core.rolling.RollingFileAppender">
    <file>{log}</file>
    <rollingPolicy class="ch.qos.logback.core.rolling.SizeAndTimeBasedRollingPolicy">
      <fileNamePattern>{log}.%d.%i</fileNamePattern>
      <maxFileSize>20MB</maxFileSize>
      <maxHistory>3</maxHistory>
      <totalSizeCap>60MB</totalSizeCap>
    </rollingPolicy>
    <encoder><pattern>%date %level [%thread] %logger{{40}} %msg%n</pattern></encoder>
  </appender>
  <appender name="STDERR" class="ch.qos.logback.core.ConsoleAppender">
    <target>System.err</target>
    <filter class="ch.qos.logback.classic.filter.ThresholdFilter"><level>ERROR</level></filter>
    <encoder><pattern>%level %logger{{0}} %msg%n</pattern></encoder>
  </appender>
  <logger name="org.apache.nifi" level="INFO"/>
  <logger name="org.apache.nifi.controller.repository" level="WARN"/>
  <logger name="org.apache.nifi.web" level="WARN"/>
  <logger name="org.apache.nifi.processors.standard.LogAttribute" level="INFO"/>
  <logger name="org.apache.nifi.NiFi" level="INFO" additivity="true"><appender-ref ref="STDERR"/></logger>
  <logger name="org.apache.nifi.runtime" level="INFO" additivity="true"><appender-ref ref="STDERR"/></logger>
  <root level="WARN"><appender-ref ref="FILE"/></root>
</configuration>
"""
_EMPTY = {"authorizers.xml": "authorizers", "login-identity-providers.xml": "loginIdentityProviders"}
_STATE = """<?xml version="1.0" encoding="UTF-8"?>
<stateManagement>
  <local-provider>
    <id>local-provider</id>
    <class>org.apache.nifi.controller.state.providers.local.WriteAheadLocalStateProvider</class>
    <property name="Directory">./state/local</property>
    <property name="Always Sync">false</property>
    <property name="Partitions">4</property>
    <property name="Checkpoint Interval">2 mins</property>
  </local-provider>
</stateManagement>
"""
_SETTINGS = {
    "nifi.flow.configuration.file": "./conf/flow.json.gz",
    "nifi.flow.configuration.archive.enabled": "false",
    "nifi.flowcontroller.autoResumeState": "true",
    "nifi.flowcontroller.graceful.shutdown.period": "5 sec",
    "nifi.flowservice.writedelay.interval": "200 ms",
    "nifi.administrative.yield.duration": "5 sec",
    "nifi.bored.yield.duration": "10 millis",
    "nifi.queue.backpressure.count": "10000",
    "nifi.queue.backpressure.size": "1 GB",
    "nifi.authorizer.configuration.file": "./conf/authorizers.xml",
    "nifi.login.identity.provider.configuration.file": "./conf/login-identity-providers.xml",
    "nifi.nar.library.autoload.directory": "./extensions",
    "nifi.nar.working.directory": f"./{_WORK}/nar/",
    "nifi.state.management.configuration.file": "./conf/state-management.xml",
    "nifi.state.management.provider.local": "local-provider",
    "nifi.database.directory": "./database_repository",
    "nifi.flowfile.repository.implementation": "org.apache.nifi.controller.repository.WriteAheadFlowFileRepository",
    "nifi.flowfile.repository.wal.implementation": "org.apache.nifi.wali.SequentialAccessWriteAheadLog",
    "nifi.flowfile.repository.directory": "./flowfile_repository",
    "nifi.flowfile.repository.checkpoint.interval": "20 secs",
    "nifi.flowfile.repository.always.sync": "false",
    "nifi.swap.manager.implementation": "org.apache.nifi.controller.FileSystemSwapManager",
    "nifi.queue.swap.threshold": "20000",
    "nifi.content.repository.implementation": "org.apache.nifi.controller.repository.FileSystemRepository",
    "nifi.content.claim.max.appendable.size": "50 KB",
    "nifi.content.repository.directory.default": "./content_repository",
    "nifi.content.repository.archive.enabled": "false",
    "nifi.content.repository.always.sync": "false",
    "nifi.provenance.repository.implementation": "org.apache.nifi.provenance.WriteAheadProvenanceRepository",
    "nifi.provenance.repository.directory.default": "./provenance_repository",
    "nifi.provenance.repository.max.storage.time": "1 days",
    "nifi.provenance.repository.max.storage.size": "200 MB",
    "nifi.provenance.repository.rollover.time": "10 mins",
    "nifi.provenance.repository.rollover.size": "20 MB",
    "nifi.provenance.repository.query.threads": "1",
    "nifi.provenance.repository.index.threads": "1",
    "nifi.provenance.repository.indexed.fields": "EventType, FlowFileUUID, Filename, ProcessorID, Relationship",
    "nifi.provenance.repository.index.shard.size": "50 MB",
    "nifi.components.status.repository.implementation":
        "org.apache.nifi.controller.status.history.VolatileComponentStatusRepository",
    "nifi.components.status.repository.buffer.size": "360",
    "nifi.components.status.snapshot.frequency": "1 min",
    "nifi.web.jetty.working.directory": f"./{_WORK}/jetty",
    "nifi.web.jetty.threads": "50",
    "nifi.web.max.header.size": "16 KB",
    "nifi.sensitive.props.algorithm": "NIFI_PBKDF2_AES_GCM_256",
    "nifi.cluster.is.node": "false",
    "nifi.python.max.processes": "20",
    "nifi.python.max.processes.per.extension.type": "2",
    "nifi.python.working.directory": f"./{_WORK}/python",
}  # fmt: skip
"""No nifi.python.comms.timeout: it would also end Python processes that have nothing to do."""


@dataclass(frozen=True)
class Home:
    """A folder that NiFi runs in. `log` is NiFi's own log."""

    folder: Path
    log: Path

    @property
    def extensions(self) -> Path:
        """Where Python processors are dropped."""
        return self.folder / "python" / "extensions"

    def write(self, kit: Kit, port: int, processors: Iterable[Path]) -> None:
        """Everything NiFi reads at its start; what it wrote itself stays. Raises StackError."""
        conf = self.folder / "conf"
        for folder in (conf, self.extensions, self.folder / "extensions", self.folder / "drivers"):
            folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        settings = {
            **_SETTINGS,
            "nifi.nar.library.directory": str(kit.lib),
            "nifi.web.http.host": "127.0.0.1",
            "nifi.web.http.port": str(port),
            "nifi.sensitive.props.key": self._sensitive_key(),
            "nifi.python.command": str(_python()),
            "nifi.python.framework.source.directory": str(kit.python / "framework"),
            "nifi.python.extensions.source.directory.default": str(self.extensions),
        }
        properties = conf / "nifi.properties"
        properties.touch(mode=0o600)
        properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        (conf / "logback.xml").write_text(_LOGBACK.format(log=self.log))
        (conf / "state-management.xml").write_text(_STATE)
        for name, root in _EMPTY.items():
            (conf / name).write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}/>\n')
        _link(self.folder / DRIVER, kit.driver)
        self._seed_bundles(kit)
        self._environment(self.folder / _WORK / "python" / "controller")
        for processor in processors:
            shutil.copyfile(processor, self.extensions / processor.name)
            self._fill(processor)

    def command(self, kit: Kit, management_port: int, memory: str) -> list[str]:
        """The command line of the server, to be run in the folder."""
        return [
            str(java()),
            f"-Xms{memory}",
            f"-Xmx{memory}",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Djava.awt.headless=true",
            "-Djava.security.egd=file:/dev/urandom",
            "-Dorg.apache.jasper.compiler.disablejsr199=true",
            f"-Dnifi.properties.file.path={self.folder / 'conf' / 'nifi.properties'}",
            f"-Dorg.apache.nifi.bootstrap.config.log.dir={self.log.parent}",
            f"-Dorg.apache.nifi.management.server.address=127.0.0.1:{management_port}",
            "-cp",
            f"{self.folder / 'conf'}:{kit.class_path}",
            "org.apache.nifi.NiFi",
        ]

    def keep_bundles(self, kit: Kit) -> None:
        """Bundles as NiFi has unpacked them here, kept for homes to come: links, so they take no room twice."""
        unpacked = self.folder / _UNPACKED
        if kit.unpacked.exists() or not unpacked.exists():
            return
        with suppress(OSError), tempfile.TemporaryDirectory(dir=kit.folder) as work:
            shutil.copytree(unpacked, Path(work, "nar"), copy_function=_link_or_copy)
            Path(work, "nar").rename(kit.unpacked)

    def _seed_bundles(self, kit: Kit) -> None:
        unpacked = self.folder / _UNPACKED
        if kit.unpacked.exists() and not unpacked.exists():
            unpacked.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(kit.unpacked, unpacked, copy_function=_link_or_copy)

    def _sensitive_key(self) -> str:
        """The flow's passwords are kept under it, so it lives as long as the flow does."""
        path = self.folder / "conf" / "sensitive.key"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24))
        return path.read_text()

    def _fill(self, processor: Path) -> None:
        """The environment NiFi would make for this processor, with what it imports linked from ours."""
        name, version, dependencies = _details(processor)
        environment = self.folder / _WORK / "python" / "extensions" / name / version
        ours = {LINKED[0].replace("_", "-")}
        if any(_package(each) not in ours for each in dependencies):
            return  # NiFi installs what we do not have
        self._environment(environment)
        packages = Path(sysconfig.get_paths()["platlib"])
        for package in LINKED:
            if (packages / package).exists():
                _link(environment / package, packages / package)
        (environment / "dependency-download.complete").write_text("True")

    def _environment(self, folder: Path) -> None:
        """A virtual environment where NiFi looks for one; made anew where it belongs to another Python."""
        mark = folder / "env-creation-complete.txt"
        belongs_to = f"{sys.version} {os.path.realpath(sys.executable)}"
        if mark.exists() and mark.read_text() == belongs_to:
            return
        command = [str(_python()), "-m", "venv", "--without-pip", "--clear", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise StackError(
                f"NiFi's Python environment {folder} cannot be made: {done.stderr.strip()[-300:]}"
            )
        mark.write_text(belongs_to)


def shipped_processors() -> list[Path]:
    """Our Python processors, in the checkout."""
    return sorted(path for path in PROCESSORS.glob("*.py") if path.name != "__init__.py")


def digest(processors: Iterable[Path]) -> Mapping[str, str]:
    """By file name: changes when the file does."""
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in processors}


def _python() -> Path:
    """The interpreter that runs us, under a name that every virtual environment has."""
    return Path(sys.executable).with_name("python3")


def _details(processor: Path) -> tuple[str, str, list[str]]:
    """Class, version and dependencies, as NiFi reads them: without running the file."""
    for outer in ast.parse(processor.read_text()).body:
        if not isinstance(outer, ast.ClassDef):
            continue
        for inner in outer.body:
            if isinstance(inner, ast.ClassDef) and inner.name == "ProcessorDetails":
                values = {
                    target.id: ast.literal_eval(each.value)
                    for each in inner.body
                    if isinstance(each, ast.Assign)
                    for target in each.targets
                    if isinstance(target, ast.Name)
                }
                return outer.name, values["version"], values.get("dependencies", [])
    raise StackError(f"{processor} holds no processor with ProcessorDetails")


def _package(requirement: str) -> str:
    """`confluent-kafka` of `confluent-kafka>=2.13.2`."""
    name = requirement
    for sign in "<>=!~;[ ":
        name = name.partition(sign)[0]
    return name.strip().lower()


def _link_or_copy(source: str, target: str) -> None:
    """NiFi never writes into an unpacked bundle: it removes it and unpacks anew."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    link.unlink(missing_ok=True)
    link.symlink_to(target)
