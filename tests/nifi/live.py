"""A real NiFi for the slow tests: processors made, wired and asked over its REST API."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from stack.nifi.server import Nifi

__all__ = ["Flow", "eventually"]

_NEW = {"version": 0}


def eventually(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """What `condition` answers once that is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.1)
    return found


class Flow:
    """A process group of a test. Names are the test's own; ids stay inside."""

    def __init__(self, nifi: Nifi) -> None:
        self.nifi = nifi
        group = {"name": "test", "position": {"x": 0, "y": 0}}
        made = self.call("POST", "/process-groups/root/process-groups", revision=_NEW, component=group)
        self._group = made["id"]
        self._ids: dict[str, str] = {}
        kinds = self.call("GET", "/flow/processor-types")["processorTypes"]
        self._kinds = {each["type"].rpartition(".")[2]: each for each in kinds}

    def call(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.nifi.url}/nifi-api{path}",
            method=method,
            data=json.dumps(body).encode() if body else None,
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()[:500]}") from None

    def add(
        self,
        name: str,
        kind: str,
        properties: dict[str, str],
        every: str = "0 sec",
        ends: tuple[str, ...] = (),
    ) -> None:
        found = self._kinds[kind]
        made = self.call(
            "POST", f"/process-groups/{self._group}/processors", revision=_NEW,
            component={"name": name, "type": found["type"], "bundle": found["bundle"]},
        )  # fmt: skip
        self._ids[name] = made["id"]
        # a Python processor has no properties before its environment stands
        eventually(lambda: self._processor(name)["component"]["config"]["descriptors"])
        self.configure(name, properties, schedulingPeriod=every, autoTerminatedRelationships=list(ends))

    def configure(self, name: str, properties: Mapping[str, str | None], **config: Any) -> None:
        self.call(
            "PUT", f"/processors/{self._ids[name]}", revision=self._processor(name)["revision"],
            component={"id": self._ids[name], "config": {"properties": properties, **config}},
        )  # fmt: skip

    def connect(self, source: str, relationship: str, destination: str) -> None:
        ends = {
            which: {"id": self._ids[name], "groupId": self._group, "type": "PROCESSOR"}
            for which, name in (("source", source), ("destination", destination))
        }
        self.call(
            "POST", f"/process-groups/{self._group}/connections", revision=_NEW,
            component={**ends, "selectedRelationships": [relationship]},
        )  # fmt: skip

    def errors(self, name: str) -> list[str]:
        """Why it is not valid; empty once it is."""
        eventually(lambda: self._processor(name)["component"]["validationStatus"] != "VALIDATING")
        return list(self._processor(name)["component"].get("validationErrors") or [])

    def run(self, *names: str, state: str = "RUNNING") -> None:
        for name in names:
            if state != "STOPPED":
                eventually(partial(self._is_valid, name))
            revision = self._processor(name)["revision"]
            self.call("PUT", f"/processors/{self._ids[name]}/run-status", revision=revision, state=state)
            if state == "STOPPED":
                eventually(partial(self._is_idle, name))

    def _is_valid(self, name: str) -> bool:
        return not self.errors(name)

    def _is_idle(self, name: str) -> bool:
        return bool(self._processor(name)["status"]["aggregateSnapshot"]["activeThreadCount"] == 0)

    def waiting(self, source: str) -> int:
        """Flow files in the queues behind a processor."""
        found = self.call("GET", f"/process-groups/{self._group}/connections")["connections"]
        return sum(
            int(each["status"]["aggregateSnapshot"]["flowFilesQueued"])
            for each in found
            if each["sourceId"] == self._ids[source]
        )

    def attributes(self, source: str) -> list[dict[str, str]]:
        """The attributes of each flow file behind a processor."""
        found = []
        for each in self.call("GET", f"/process-groups/{self._group}/connections")["connections"]:
            if each["sourceId"] != self._ids[source]:
                continue
            queue = f"/flowfile-queues/{each['id']}"
            listing = self.call("POST", f"{queue}/listing-requests")["listingRequest"]["id"]

            def listed(path: str = f"{queue}/listing-requests/{listing}") -> Any:
                asked = self.call("GET", path)["listingRequest"]
                return asked if asked["finished"] else None

            for one in eventually(listed).get("flowFileSummaries", []):
                told = self.call("GET", f"{queue}/flowfiles/{one['uuid']}")
                found.append(told["flowFile"]["attributes"])
        return found

    def _processor(self, name: str) -> dict[str, Any]:
        return self.call("GET", f"/processors/{self._ids[name]}")
