"""Airflow over its public REST API, v2: from anywhere, with a token.

The token comes from ORCHESTRATION_AIRFLOW_TOKEN or, read anew whenever it is refused, from the file of
ORCHESTRATION_AIRFLOW_TOKEN_FILE; or it is asked for at /auth/token with ORCHESTRATION_AIRFLOW_USERNAME and PASSWORD,
without which Airflow answers only where everybody is admin.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from .errors import SettingsError, TransientError
from .trigger import Created, Existing, Outcome, Rejected, RunState

if TYPE_CHECKING:
    from .messages import Request
    from .settings import Settings

__all__ = ["RestAirflow"]

_TIMEOUT = 15.0
_PAGE = 100
_RETURNED = "return_value"
_REFUSALS = (400, 403, 404, 422)


class RestAirflow:
    """`Airflow` over HTTP."""

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        self._settings = settings
        self._token: str | None = None
        self._http = httpx.Client(
            base_url=str(settings.airflow_url).rstrip("/").removesuffix("/api/v2"),
            timeout=_TIMEOUT,
            transport=transport,
            headers={"Accept": "application/json", "User-Agent": "orchestration-listener"},
        )

    def create(self, request: Request) -> Outcome:
        body = {"dag_run_id": request.run_id, "logical_date": None, "conf": request.conf}
        response = self._ask("POST", f"/dags/{_part(request.dag_id)}/dagRuns", body)
        if response.status_code == 409:
            run = self._run(request.dag_id, request.run_id)
            if run is None:
                raise TransientError(f"run {request.run_id} of DAG {request.dag_id} was there and is gone")
            return Existing(run.get("conf"))
        if response.status_code in _REFUSALS:
            return Rejected(_words(response))
        self._expect(response)
        return Created()

    def is_paused(self, dag_id: str) -> bool:
        response = self._ask("GET", f"/dags/{_part(dag_id)}")
        if response.status_code in _REFUSALS:
            return False
        return bool(self._expect(response).get("is_paused"))

    def moved(self, dag_id: str, run_ids: Sequence[str], states: Sequence[str]) -> set[str]:
        body = {"dag_ids": [dag_id], "states": list(states), "order_by": "id", "page_limit": _PAGE}
        still: set[str] = set()
        offset = 0
        while True:
            page = self._expect(self._ask("POST", "/dags/~/dagRuns/list", {**body, "page_offset": offset}))
            found = page.get("dag_runs", [])
            still.update(each["dag_run_id"] for each in found)
            offset += len(found)
            if len(found) < _PAGE:
                return set(run_ids) - still

    def look(self, dag_id: str, run_id: str) -> RunState | None:
        run = self._run(dag_id, run_id)
        if run is None:
            return None
        return RunState(str(run.get("state")), _instant(run.get("start_date")), _instant(run.get("end_date")))

    def returned(self, dag_id: str, run_id: str) -> list[tuple[str, int, Any]]:
        runs = f"/dags/{_part(dag_id)}/dagRuns/{_part(run_id)}/taskInstances"
        rows = []
        for each in self._entries(f"{runs}/~/xcomEntries?xcom_key={_RETURNED}"):
            task_id, map_index = str(each["task_id"]), int(each["map_index"])
            response = self._ask(
                "GET",
                f"{runs}/{_part(task_id)}/xcomEntries/{_RETURNED}?map_index={map_index}&stringify=false",
            )
            if response.status_code != 404:  # cleared meanwhile
                rows.append((task_id, map_index, self._expect(response).get("value")))
        return rows

    def close(self) -> None:
        self._http.close()

    # -- helpers ----------------------------------------------------------------------------------------

    def _entries(self, path: str) -> Iterator[Mapping[str, Any]]:
        offset = 0
        while True:
            page = self._expect(self._ask("GET", f"{path}&limit={_PAGE}&offset={offset}"))
            found = page.get("xcom_entries", [])
            yield from found
            offset += len(found)
            if len(found) < _PAGE:
                return

    def _run(self, dag_id: str, run_id: str) -> Mapping[str, Any] | None:
        response = self._ask("GET", f"/dags/{_part(dag_id)}/dagRuns/{_part(run_id)}")
        return None if response.status_code == 404 else self._expect(response)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """The answer, with a new token where the old one does not count any more."""
        for last in (False, True):
            response = self._send(method, "/api/v2" + path, body, self._bearer())
            if response.status_code != 401 or last:
                break
            self._token = None
        return response

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> httpx.Response:
        content = None if body is None else json.dumps(body).encode()
        more = {} if body is None else {"Content-Type": "application/json"}
        try:
            return self._http.request(method, path, content=content, headers={**headers, **more})
        except httpx.HTTPError as error:
            raise TransientError(
                f"Airflow at {self._http.base_url}: {type(error).__name__} {error}"
            ) from error

    def _expect(self, response: httpx.Response) -> dict[str, Any]:
        """The object of a good answer. Raises TransientError for any other."""
        if not response.is_success:
            raise TransientError(
                f"Airflow at {self._http.base_url}: HTTP {response.status_code}: {_words(response)}",
                answered=response.status_code >= 500,
            )
        found = _json(response)
        if not isinstance(found, dict):
            raise TransientError(f"Airflow at {self._http.base_url} does not answer with a JSON object")
        return found

    def _bearer(self) -> dict[str, str]:
        if self._token is None:
            self._token = self._new_token()
        return {"Authorization": f"Bearer {self._token}"}

    def _new_token(self) -> str:
        settings = self._settings
        if settings.airflow_token:
            return settings.airflow_token
        if settings.airflow_token_file:
            try:
                return Path(settings.airflow_token_file).read_text(encoding="ascii").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(
                    f"ORCHESTRATION_AIRFLOW_TOKEN_FILE={settings.airflow_token_file} cannot be read ({error})",
                    "correct it, or unset it",
                ) from None
        if settings.airflow_user:
            body = {"username": settings.airflow_user, "password": settings.airflow_password or ""}
            response = self._send("POST", "/auth/token", body, {})
        else:
            response = self._send("GET", "/auth/token", None, {})
        token = self._expect(response).get("access_token")
        if not isinstance(token, str):
            raise TransientError(f"Airflow at {self._http.base_url} gives no access_token at /auth/token")
        return token


def _part(text: str) -> str:
    return quote(text, safe="")


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _words(response: httpx.Response) -> str:
    """What a problem says."""
    found = _json(response)
    detail = found.get("detail", found) if isinstance(found, dict) else response.text[:300]
    if isinstance(detail, list):
        return "; ".join(
            f"{'.'.join(map(str, each.get('loc', [])))}: {each.get('msg')}"
            if isinstance(each, dict)
            else str(each)
            for each in detail
        )
    return str(detail) or f"HTTP {response.status_code}"


def _instant(text: object) -> datetime | None:
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if isinstance(text, str) else None
