"""The local stack's NiFi without starting one: what it consists of, its folder, where it comes from."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from stack import StackError
from stack.layout import Layout
from stack.nifi import home, java, kit
from stack.nifi.home import Home
from stack.nifi.kit import Kit
from stack.nifi.program import Program
from stack.nifi.server import Nifi, end_leftovers
from stack.process import Process, free_port, identity


def nar(folder: Path, name: str, parent: str | None, *jars: str) -> None:
    lines = [f"Nar-Id: {name}"] + ([f"Nar-Dependency-Id: {parent}"] if parent else [])
    with zipfile.ZipFile(folder / f"{name}-{kit.VERSION}.nar", "w") as packed:
        packed.writestr("META-INF/MANIFEST.MF", "\n".join(lines) + "\n")
        for jar in jars:
            packed.writestr(f"META-INF/bundled-dependencies/{jar}", b"")


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    """What Maven brings, in small."""
    folder = tmp_path / "all"
    folder.mkdir()
    for artifact, version in kit._direct_dependencies().items():
        if artifact.endswith("-nar"):
            nar(folder, artifact, None)
        else:
            (folder / f"{artifact}-{version}.jar").write_bytes(b"")
    nar(folder, "nifi-standard-services-api-nar", None, "shared-1.jar")
    nar(folder, "nifi-standard-shared-nar", "nifi-standard-services-api-nar", "commons-2.jar")
    for name, inside in (
        ("nifi-python-framework-2.3.0.jar", "framework/Controller.py"),
        ("nifi-python-extension-api-2.3.0.jar", "nifiapi/properties.py"),
    ):
        with zipfile.ZipFile(folder / name, "w") as packed:
            packed.writestr(inside, "pass\n")
    for name in ("shared-1.jar", "commons-2.jar", "commons-1.jar", "nifi-update-attribute-model-2.3.0.jar"):
        (folder / name).write_bytes(b"")
    return folder


def inside(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as packed:
        return {Path(name).name for name in packed.namelist() if name.endswith(".jar")}


def test_unpublished_bundles_hold_what_their_parents_lack(everything: Path, tmp_path: Path) -> None:
    kit._assemble(everything, tmp_path / "kit")
    lib = tmp_path / "kit" / "lib"
    standard = inside(lib / "nifi-standard-nar-2.3.0.nar")
    assert standard == {"nifi-standard-processors-2.3.0.jar", "commons-1.jar"}
    update = inside(lib / "nifi-update-attribute-nar-2.3.0.nar")
    assert update == {"nifi-update-attribute-processor-2.3.0.jar", "nifi-update-attribute-model-2.3.0.jar"}


def test_a_packed_bundle_has_entries_for_its_folders(everything: Path, tmp_path: Path) -> None:
    """NiFi calls a bundle without them broken."""
    kit._assemble(everything, tmp_path / "kit")
    with zipfile.ZipFile(tmp_path / "kit" / "lib" / "nifi-standard-nar-2.3.0.nar") as packed:
        assert {"META-INF/", "META-INF/bundled-dependencies/"} <= set(packed.namelist())
        manifest = packed.read("META-INF/MANIFEST.MF").decode()
    assert "Nar-Id: nifi-standard-nar\n" in manifest
    assert "Nar-Dependency-Id: nifi-standard-shared-nar\n" in manifest


def test_python_side_and_driver_are_not_on_the_class_path(everything: Path, tmp_path: Path) -> None:
    kit._assemble(everything, tmp_path / "kit")
    made = Kit(tmp_path / "kit")
    assert (made.python / "framework" / "Controller.py").exists()
    assert (made.python / "api" / "nifiapi" / "properties.py").exists()
    assert made.driver.name == "postgresql-42.7.7.jar"
    assert "postgresql" not in made.class_path
    assert "nifi-python-framework-2" not in made.class_path
    assert "nifi-runtime-2.3.0.jar" in made.class_path


PROCESSOR = """
class Thing:
    class Java:
        implements = ["org.apache.nifi.python.processor.FlowFileTransform"]

    class ProcessorDetails:
        version = "1.2.3"
        dependencies = {dependencies}
"""


@pytest.fixture
def made(everything: Path, tmp_path: Path) -> Kit:
    kit._assemble(everything, tmp_path / "kit")
    return Kit(tmp_path / "kit")


def write(made: Kit, folder: Path, dependencies: str) -> Home:
    processor = folder.parent / "Thing.py"
    processor.write_text(PROCESSOR.format(dependencies=dependencies))
    written = Home(folder, folder / "app.log")
    written.write(made, 1234, [processor])
    return written


def test_processors_lie_in_the_extensions_folder_with_what_they_import(made: Kit, tmp_path: Path) -> None:
    written = write(made, tmp_path / "home", '["confluent-kafka>=2.13.2"]')
    assert (written.extensions / "Thing.py").exists()
    environment = tmp_path / "home" / "work" / "python" / "extensions" / "Thing" / "1.2.3"
    assert (environment / "confluent_kafka" / "__init__.py").exists()
    assert (environment / "env-creation-complete.txt").exists()
    assert (environment / "dependency-download.complete").exists()
    assert (environment / "bin" / "python3").exists()


def test_what_we_do_not_have_is_left_to_nifi(made: Kit, tmp_path: Path) -> None:
    write(made, tmp_path / "home", '["pandas"]')
    assert not (tmp_path / "home" / "work" / "python" / "extensions").exists()


def test_settings_listen_on_loopback_and_keep_the_key(made: Kit, tmp_path: Path) -> None:
    written = write(made, tmp_path / "home", "[]")
    properties = written.folder / "conf" / "nifi.properties"
    first = dict(line.split("=", 1) for line in properties.read_text().splitlines())
    assert first["nifi.web.http.host"] == "127.0.0.1"
    assert first["nifi.web.http.port"] == "1234"
    assert "nifi.python.comms.timeout" not in first
    assert properties.stat().st_mode & 0o077 == 0
    write(made, tmp_path / "home", "[]")
    again = dict(line.split("=", 1) for line in properties.read_text().splitlines())
    assert again["nifi.sensitive.props.key"] == first["nifi.sensitive.props.key"]
    assert any(word.endswith("server.address=127.0.0.1:99") for word in written.command(made, 99, "1m"))


def test_unpacked_bundles_are_kept_for_the_next_home(made: Kit, tmp_path: Path) -> None:
    first = write(made, tmp_path / "one", "[]")
    jar = first.folder / "work" / "nar" / "extensions" / "x-unpacked" / "a.jar"
    jar.parent.mkdir(parents=True)
    jar.write_text("jar")
    first.keep_bundles(made)
    second = write(made, tmp_path / "two", "[]")
    assert (second.folder / "work" / "nar" / "extensions" / "x-unpacked" / "a.jar").samefile(jar)


def test_a_file_that_is_no_processor_is_named(made: Kit, tmp_path: Path) -> None:
    other = tmp_path / "Other.py"
    other.write_text("x = 1\n")
    with pytest.raises(StackError, match=r"Other\.py holds no processor"):
        Home(tmp_path / "home", tmp_path / "log").write(made, 1, [other])


@pytest.fixture
def program(tmp_path: Path) -> Program:
    layout = Layout(tmp_path / ".run")
    layout.prepare()
    return Program(layout, lambda _: None)


def test_a_nifi_of_the_users_is_used(program: Program) -> None:
    state = program.settings({}, {"NIFI_URL": "https://nifi:8443/", "ORCHESTRATION_ENV": "production"})
    program.launch(state)
    assert program.await_ready(state) == "https://nifi:8443"
    assert program.pid is None


def test_no_server_without_login_outside_dev(program: Program) -> None:
    with pytest.raises(StackError, match=r"DEV only: name a NiFi of your own in NIFI_URL"):
        program.settings({}, {"ORCHESTRATION_ENV": "production"})


def test_ports_are_kept(program: Program) -> None:
    had = {"source": "local", "port": free_port(), "management_port": free_port()}
    assert program.settings(had, {}) == had


def test_leftovers_are_ended_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    pids = []
    for name in ("a", "b"):
        process = Process("x", tmp_path / f"{name}.pid")
        command = [sys.executable, "-c", "import time; time.sleep(60)"]
        pids.append(process.spawn(command, log=tmp_path / "log", cwd=tmp_path / name))
    end_leftovers(tmp_path / "a")
    assert identity(pids[0]) is None
    assert identity(pids[1]) is not None
    end_leftovers(tmp_path / "b")


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as other:
        server = Nifi(tmp_path, port=other.getsockname()[1])
        with pytest.raises(StackError, match=r"port \d+ of NiFi is taken by"):
            server.launch()


def test_an_old_java_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    for name, version in (("java", "17.0.1"), ("java21", "21.0.2")):
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
        program.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setattr(java, "_installed", lambda: iter([tmp_path / "bin/java", tmp_path / "bin/java21"]))
    java.java.cache_clear()
    try:
        assert java.java() == tmp_path / "bin" / "java21"
    finally:
        java.java.cache_clear()


def test_shipped_processors_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "PROCESSORS", tmp_path)
    (tmp_path / "A.py").write_text("")
    (tmp_path / "__init__.py").write_text("")
    assert [path.name for path in home.shipped_processors()] == ["A.py"]
