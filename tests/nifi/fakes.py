"""As much of NiFi's Python API as our processors use: they are tested without NiFi, in this process."""

from __future__ import annotations

import importlib.util
import re
import sys
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

__all__ = ["Context", "FlowFile", "Logger", "load"]

PROCESSORS = Path(__file__).parents[2] / "nifi" / "processors"
_UNITS = {"ms": 1, "sec": 1000, "secs": 1000, "min": 60_000, "days": 86_400_000}


class _Base:
    def __init__(self) -> None:
        self.logger = Logger()
        self.identifier = "1"


@dataclass
class _Result:
    relationship: str
    attributes: dict[str, str] = field(default_factory=dict)
    contents: bytes | str | None = None


class _Descriptor:
    def __init__(self, name: str, description: str, required: bool = False, **rest: Any) -> None:
        self.name, self.description, self.required = name, description, required
        self.default_value: str | None = rest.get("default_value")
        self.rest = rest


class _Scope(Enum):
    FLOWFILE_ATTRIBUTES = 1


class _Validators:
    def __getattr__(self, name: str) -> str:
        return name


def _modules() -> dict[str, ModuleType]:
    def module(name: str, **content: Any) -> ModuleType:
        made = ModuleType(name)
        made.__dict__.update(content)
        return made

    return {
        "nifiapi": module("nifiapi"),
        "nifiapi.flowfiletransform": module(
            "nifiapi.flowfiletransform", FlowFileTransform=_Base, FlowFileTransformResult=_Result
        ),
        "nifiapi.flowfilesource": module(
            "nifiapi.flowfilesource", FlowFileSource=_Base, FlowFileSourceResult=_Result
        ),
        "nifiapi.properties": module(
            "nifiapi.properties",
            ExpressionLanguageScope=_Scope,
            PropertyDependency=lambda *_: None,
            PropertyDescriptor=_Descriptor,
            StandardValidators=_Validators(),
            TimeUnit=Enum("TimeUnit", ["MILLISECONDS"]),
            ValidationResult=lambda **values: SimpleNamespace(**values),
        ),
        "nifiapi.relationship": module(
            "nifiapi.relationship", Relationship=lambda name, description: SimpleNamespace(name=name)
        ),
    }


def load(name: str) -> ModuleType:
    """A processor's module, as NiFi loads it: the file alone."""
    sys.modules.update(_modules())
    try:
        spec = importlib.util.spec_from_file_location(name, PROCESSORS / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        for each in _modules():
            del sys.modules[each]
    return module


class Logger:
    def __init__(self) -> None:
        self.said: list[str] = []

    def warn(self, words: str) -> None:
        self.said.append(f"WARN {words}")

    def error(self, words: str) -> None:
        self.said.append(f"ERROR {words}")


class FlowFile:
    def __init__(self, content: bytes = b"", /, **attributes: str) -> None:
        self.content = content
        self.attributes = {"uuid": "11111111-2222-3333-4444-555555555555", **attributes}

    def getAttribute(self, name: str) -> str | None:  # noqa: N802 - NiFi's name
        return self.attributes.get(name)

    def getContentsAsBytes(self) -> bytes:  # noqa: N802
        return self.content

    def getSize(self) -> int:  # noqa: N802
        return len(self.content)


class _Value:
    """Expressions are single attributes, `${name}`; here as in NiFi what is not there is empty."""

    def __init__(self, text: str | None) -> None:
        self.text = text

    def getValue(self) -> str | None:  # noqa: N802
        return self.text

    def evaluateAttributeExpressions(self, flowfile: FlowFile) -> _Value:  # noqa: N802
        if self.text is None:
            return self
        return _Value(re.sub(r"\$\{([^}]+)\}", lambda m: flowfile.getAttribute(m.group(1)) or "", self.text))

    def asTimePeriod(self, _unit: object) -> int:  # noqa: N802
        number, unit = (self.text or "").split()
        return int(number) * _UNITS[unit]


class Context:
    """A processor's settings: its defaults, then what is given; names with `_` for spaces, capitals as NiFi has them."""

    def __init__(self, processor: Any, properties: dict[str, str | None], tasks: int = 1) -> None:
        own = {each.name: each for each in processor.getPropertyDescriptors()}
        values = {name: each.default_value for name, each in own.items()} | properties
        self._values = values
        self._descriptors = {
            own.get(name) or processor.getDynamicPropertyDescriptor(name): value
            for name, value in values.items()
        }
        self.java_context = SimpleNamespace(getMaxConcurrentTasks=lambda: tasks)

    def getProperty(self, descriptor: Any) -> _Value:  # noqa: N802
        return _Value(self._values[descriptor.name])

    def getProperties(self) -> dict[Any, str | None]:  # noqa: N802
        return self._descriptors
