"""The client.

Made by `make client` from the OpenAPI document; not edited by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from . import models
from .session import Session
from .transport import UNSET, Call, Unset, nothing, raw, segment, sent

__all__ = ["OrchestrationServiceClient"]


class OrchestrationServiceClient(Session):
    """Every endpoint is a method of its name in the API.

    Arguments left out (UNSET) are not sent; None is null.
    """

    def list_services(
        self,
        *,
        limit: int | Unset = UNSET,
        sort: str | Unset = UNSET,
        null: str | Unset = UNSET,
        id: int | Unset = UNSET,
        name: str | Unset = UNSET,
        dispatch_topic: str | Unset = UNSET,
        echoes_ids: bool | Unset = UNSET,
        corrections: bool | Unset = UNSET,
        archived: bool | Unset = UNSET,
        created_at: datetime | Unset = UNSET,
        updated_at: datetime | Unset = UNSET,
    ) -> Iterator[models.Service]:
        """List services. Scope: read. Page by page."""
        for each in self.pages(
            Call(
                "GET",
                "/services",
                raw,
                query={
                    "limit": limit,
                    "sort": sort,
                    "null": null,
                    "id": id,
                    "name": name,
                    "dispatch_topic": dispatch_topic,
                    "echoes_ids": echoes_ids,
                    "corrections": corrections,
                    "archived": archived,
                    "created_at": created_at,
                    "updated_at": updated_at,
                },
            )
        ):
            yield models.Service.of(each)

    def create_service(
        self,
        *,
        name: str,
        dispatch_topic: str | Unset | None = UNSET,
        echoes_ids: bool | Unset = UNSET,
        corrections: bool | Unset = UNSET,
        archived: bool | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.Service:
        """Create a service. Scope: configure."""
        return self.do(
            Call(
                "POST",
                "/services",
                models.Service.of,
                body=sent(
                    {
                        "name": name,
                        "dispatch_topic": dispatch_topic,
                        "echoes_ids": echoes_ids,
                        "corrections": corrections,
                        "archived": archived,
                    }
                ),
                idempotency_key=idempotency_key,
            )
        )

    def get_service(self, id: int) -> models.Service:
        """One service. Scope: read."""
        return self.do(Call("GET", f"/services/{segment(id)}", models.Service.of))

    def delete_service(self, id: int) -> None:
        """Delete a service. Scope: configure."""
        return self.do(Call("DELETE", f"/services/{segment(id)}", nothing))

    def update_service(
        self,
        id: int,
        *,
        name: str | Unset | None = UNSET,
        dispatch_topic: str | Unset | None = UNSET,
        echoes_ids: bool | Unset | None = UNSET,
        corrections: bool | Unset | None = UNSET,
        archived: bool | Unset | None = UNSET,
        if_match: str | None = None,
    ) -> models.Service:
        """Change a service. Scope: configure."""
        return self.do(
            Call(
                "PATCH",
                f"/services/{segment(id)}",
                models.Service.of,
                body=sent(
                    {
                        "name": name,
                        "dispatch_topic": dispatch_topic,
                        "echoes_ids": echoes_ids,
                        "corrections": corrections,
                        "archived": archived,
                    }
                ),
                if_match=if_match,
            )
        )

    def list_processes(
        self,
        *,
        limit: int | Unset = UNSET,
        sort: str | Unset = UNSET,
        null: str | Unset = UNSET,
        id: int | Unset = UNSET,
        service_id: int | Unset = UNSET,
        uid: str | Unset = UNSET,
        archived: bool | Unset = UNSET,
        created_at: datetime | Unset = UNSET,
        updated_at: datetime | Unset = UNSET,
        service: str | Unset = UNSET,
    ) -> Iterator[models.Process]:
        """List processes. Scope: read. Page by page."""
        for each in self.pages(
            Call(
                "GET",
                "/processes",
                raw,
                query={
                    "limit": limit,
                    "sort": sort,
                    "null": null,
                    "id": id,
                    "service_id": service_id,
                    "uid": uid,
                    "archived": archived,
                    "created_at": created_at,
                    "updated_at": updated_at,
                    "service": service,
                },
            )
        ):
            yield models.Process.of(each)

    def create_process(
        self,
        *,
        uid: str,
        service_id: int | Unset | None = UNSET,
        service: str | Unset | None = UNSET,
        archived: bool | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.Process:
        """Create a process. Scope: configure."""
        return self.do(
            Call(
                "POST",
                "/processes",
                models.Process.of,
                body=sent({"service_id": service_id, "service": service, "uid": uid, "archived": archived}),
                idempotency_key=idempotency_key,
            )
        )

    def get_process(self, id: int) -> models.Process:
        """One process. Scope: read."""
        return self.do(Call("GET", f"/processes/{segment(id)}", models.Process.of))

    def delete_process(self, id: int) -> None:
        """Delete a process. Scope: configure."""
        return self.do(Call("DELETE", f"/processes/{segment(id)}", nothing))

    def update_process(
        self,
        id: int,
        *,
        service_id: int | Unset | None = UNSET,
        service: str | Unset | None = UNSET,
        uid: str | Unset | None = UNSET,
        archived: bool | Unset | None = UNSET,
        if_match: str | None = None,
    ) -> models.Process:
        """Change a process. Scope: configure."""
        return self.do(
            Call(
                "PATCH",
                f"/processes/{segment(id)}",
                models.Process.of,
                body=sent({"service_id": service_id, "service": service, "uid": uid, "archived": archived}),
                if_match=if_match,
            )
        )

    def list_tasks(
        self,
        *,
        limit: int | Unset = UNSET,
        sort: str | Unset = UNSET,
        null: str | Unset = UNSET,
        id: int | Unset = UNSET,
        process_id: int | Unset = UNSET,
        name: str | Unset = UNSET,
        config_template: str | Unset = UNSET,
        timeout: str | Unset = UNSET,
        ack_timeout: str | Unset = UNSET,
        max_attempts: int | Unset = UNSET,
        retry_delay: str | Unset = UNSET,
        archived: bool | Unset = UNSET,
        created_at: datetime | Unset = UNSET,
        updated_at: datetime | Unset = UNSET,
    ) -> Iterator[models.Task]:
        """List tasks. Scope: read. Page by page."""
        for each in self.pages(
            Call(
                "GET",
                "/tasks",
                raw,
                query={
                    "limit": limit,
                    "sort": sort,
                    "null": null,
                    "id": id,
                    "process_id": process_id,
                    "name": name,
                    "config_template": config_template,
                    "timeout": timeout,
                    "ack_timeout": ack_timeout,
                    "max_attempts": max_attempts,
                    "retry_delay": retry_delay,
                    "archived": archived,
                    "created_at": created_at,
                    "updated_at": updated_at,
                },
            )
        ):
            yield models.Task.of(each)

    def create_task(
        self,
        *,
        name: str,
        process_id: int | Unset | None = UNSET,
        process: Mapping[str, str] | Unset | None = UNSET,
        config_template: dict[str, Any] | Unset = UNSET,
        timeout: str | float | Unset | None = UNSET,
        ack_timeout: str | float | Unset | None = UNSET,
        max_attempts: int | Unset = UNSET,
        retry_delay: str | float | Unset = UNSET,
        archived: bool | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.Task:
        """Create a task. Scope: configure."""
        return self.do(
            Call(
                "POST",
                "/tasks",
                models.Task.of,
                body=sent(
                    {
                        "process_id": process_id,
                        "process": process,
                        "name": name,
                        "config_template": config_template,
                        "timeout": timeout,
                        "ack_timeout": ack_timeout,
                        "max_attempts": max_attempts,
                        "retry_delay": retry_delay,
                        "archived": archived,
                    }
                ),
                idempotency_key=idempotency_key,
            )
        )

    def get_task(self, id: int) -> models.Task:
        """One task. Scope: read."""
        return self.do(Call("GET", f"/tasks/{segment(id)}", models.Task.of))

    def delete_task(self, id: int) -> None:
        """Delete a task. Scope: configure."""
        return self.do(Call("DELETE", f"/tasks/{segment(id)}", nothing))

    def update_task(
        self,
        id: int,
        *,
        process_id: int | Unset | None = UNSET,
        process: Mapping[str, str] | Unset | None = UNSET,
        name: str | Unset | None = UNSET,
        config_template: dict[str, Any] | Unset | None = UNSET,
        timeout: str | float | Unset | None = UNSET,
        ack_timeout: str | float | Unset | None = UNSET,
        max_attempts: int | Unset | None = UNSET,
        retry_delay: str | float | Unset | None = UNSET,
        archived: bool | Unset | None = UNSET,
        if_match: str | None = None,
    ) -> models.Task:
        """Change a task. Scope: configure."""
        return self.do(
            Call(
                "PATCH",
                f"/tasks/{segment(id)}",
                models.Task.of,
                body=sent(
                    {
                        "process_id": process_id,
                        "process": process,
                        "name": name,
                        "config_template": config_template,
                        "timeout": timeout,
                        "ack_timeout": ack_timeout,
                        "max_attempts": max_attempts,
                        "retry_delay": retry_delay,
                        "archived": archived,
                    }
                ),
                if_match=if_match,
            )
        )

    def list_chains(
        self,
        *,
        limit: int | Unset = UNSET,
        sort: str | Unset = UNSET,
        null: str | Unset = UNSET,
        id: int | Unset = UNSET,
        previous_task_id: int | Unset = UNSET,
        next_task_id: int | Unset = UNSET,
        graph_id: int | Unset = UNSET,
        created_at: datetime | Unset = UNSET,
        updated_at: datetime | Unset = UNSET,
        previous_task: str | Unset = UNSET,
        next_task: str | Unset = UNSET,
    ) -> Iterator[models.Chain]:
        """List chains. Scope: read. Page by page."""
        for each in self.pages(
            Call(
                "GET",
                "/chains",
                raw,
                query={
                    "limit": limit,
                    "sort": sort,
                    "null": null,
                    "id": id,
                    "previous_task_id": previous_task_id,
                    "next_task_id": next_task_id,
                    "graph_id": graph_id,
                    "created_at": created_at,
                    "updated_at": updated_at,
                    "previous_task": previous_task,
                    "next_task": next_task,
                },
            )
        ):
            yield models.Chain.of(each)

    def create_chain(
        self,
        *,
        previous_task_id: int | Unset | None = UNSET,
        previous_task: str | Unset | None = UNSET,
        next_task_id: int | Unset | None = UNSET,
        next_task: str | Unset | None = UNSET,
        idempotency_key: str | None = None,
    ) -> models.Chain:
        """Create a chain. Scope: configure."""
        return self.do(
            Call(
                "POST",
                "/chains",
                models.Chain.of,
                body=sent(
                    {
                        "previous_task_id": previous_task_id,
                        "previous_task": previous_task,
                        "next_task_id": next_task_id,
                        "next_task": next_task,
                    }
                ),
                idempotency_key=idempotency_key,
            )
        )

    def get_chain(self, id: int) -> models.Chain:
        """One chain. Scope: read."""
        return self.do(Call("GET", f"/chains/{segment(id)}", models.Chain.of))

    def delete_chain(self, id: int) -> None:
        """Delete a chain. Scope: configure."""
        return self.do(Call("DELETE", f"/chains/{segment(id)}", nothing))

    def update_chain(
        self,
        id: int,
        *,
        previous_task_id: int | Unset | None = UNSET,
        previous_task: str | Unset | None = UNSET,
        next_task_id: int | Unset | None = UNSET,
        next_task: str | Unset | None = UNSET,
        if_match: str | None = None,
    ) -> models.Chain:
        """Change a chain. Scope: configure."""
        return self.do(
            Call(
                "PATCH",
                f"/chains/{segment(id)}",
                models.Chain.of,
                body=sent(
                    {
                        "previous_task_id": previous_task_id,
                        "previous_task": previous_task,
                        "next_task_id": next_task_id,
                        "next_task": next_task,
                    }
                ),
                if_match=if_match,
            )
        )

    def list_graphs(
        self,
        *,
        limit: int | Unset = UNSET,
        sort: str | Unset = UNSET,
        null: str | Unset = UNSET,
        id: int | Unset = UNSET,
        name: str | Unset = UNSET,
        owner: str | Unset = UNSET,
        labels: str | Unset = UNSET,
        paused: bool | Unset = UNSET,
        repeat_policy: Literal["latest", "queue", "reject"] | Unset = UNSET,
        timeout: str | Unset = UNSET,
        archived: bool | Unset = UNSET,
        created_at: datetime | Unset = UNSET,
        updated_at: datetime | Unset = UNSET,
    ) -> Iterator[models.Graph]:
        """List graphs. Scope: read. Page by page."""
        for each in self.pages(
            Call(
                "GET",
                "/graphs",
                raw,
                query={
                    "limit": limit,
                    "sort": sort,
                    "null": null,
                    "id": id,
                    "name": name,
                    "owner": owner,
                    "labels": labels,
                    "paused": paused,
                    "repeat_policy": repeat_policy,
                    "timeout": timeout,
                    "archived": archived,
                    "created_at": created_at,
                    "updated_at": updated_at,
                },
            )
        ):
            yield models.Graph.of(each)

    def create_graph(
        self,
        *,
        name: str,
        owner: str | Unset | None = UNSET,
        labels: dict[str, Any] | Unset = UNSET,
        paused: bool | Unset = UNSET,
        repeat_policy: Literal["latest", "queue", "reject"] | Unset = UNSET,
        timeout: str | float | Unset | None = UNSET,
        archived: bool | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.Graph:
        """Create a graph. Scope: configure."""
        return self.do(
            Call(
                "POST",
                "/graphs",
                models.Graph.of,
                body=sent(
                    {
                        "name": name,
                        "owner": owner,
                        "labels": labels,
                        "paused": paused,
                        "repeat_policy": repeat_policy,
                        "timeout": timeout,
                        "archived": archived,
                    }
                ),
                idempotency_key=idempotency_key,
            )
        )

    def get_graph(self, id: int) -> models.Graph:
        """One graph. Scope: read."""
        return self.do(Call("GET", f"/graphs/{segment(id)}", models.Graph.of))

    def delete_graph(self, id: int) -> None:
        """Delete a graph. Scope: configure."""
        return self.do(Call("DELETE", f"/graphs/{segment(id)}", nothing))

    def update_graph(
        self,
        id: int,
        *,
        name: str | Unset | None = UNSET,
        owner: str | Unset | None = UNSET,
        labels: dict[str, Any] | Unset | None = UNSET,
        paused: bool | Unset | None = UNSET,
        repeat_policy: Literal["latest", "queue", "reject"] | Unset | None = UNSET,
        timeout: str | float | Unset | None = UNSET,
        archived: bool | Unset | None = UNSET,
        if_match: str | None = None,
    ) -> models.Graph:
        """Change a graph. Scope: configure."""
        return self.do(
            Call(
                "PATCH",
                f"/graphs/{segment(id)}",
                models.Graph.of,
                body=sent(
                    {
                        "name": name,
                        "owner": owner,
                        "labels": labels,
                        "paused": paused,
                        "repeat_policy": repeat_policy,
                        "timeout": timeout,
                        "archived": archived,
                    }
                ),
                if_match=if_match,
            )
        )

    def list_graph_chains(
        self,
        *,
        limit: int | Unset = UNSET,
        sort: str | Unset = UNSET,
        null: str | Unset = UNSET,
        graph_id: int | Unset = UNSET,
        chain_id: int | Unset = UNSET,
        created_at: datetime | Unset = UNSET,
        updated_at: datetime | Unset = UNSET,
        graph: str | Unset = UNSET,
    ) -> Iterator[models.GraphChain]:
        """List graph-chains. Scope: read. Page by page."""
        for each in self.pages(
            Call(
                "GET",
                "/graph-chains",
                raw,
                query={
                    "limit": limit,
                    "sort": sort,
                    "null": null,
                    "graph_id": graph_id,
                    "chain_id": chain_id,
                    "created_at": created_at,
                    "updated_at": updated_at,
                    "graph": graph,
                },
            )
        ):
            yield models.GraphChain.of(each)

    def create_graph_chain(
        self,
        *,
        chain_id: int,
        graph_id: int | Unset | None = UNSET,
        graph: str | Unset | None = UNSET,
        idempotency_key: str | None = None,
    ) -> models.GraphChain:
        """Create a graph chain. Scope: configure."""
        return self.do(
            Call(
                "POST",
                "/graph-chains",
                models.GraphChain.of,
                body=sent({"graph_id": graph_id, "graph": graph, "chain_id": chain_id}),
                idempotency_key=idempotency_key,
            )
        )

    def get_graph_chain(self, graph_id: int, chain_id: int) -> models.GraphChain:
        """One graph chain. Scope: read."""
        return self.do(
            Call("GET", f"/graph-chains/{segment(graph_id)}/{segment(chain_id)}", models.GraphChain.of)
        )

    def delete_graph_chain(self, graph_id: int, chain_id: int) -> None:
        """Delete a graph chain. Scope: configure."""
        return self.do(Call("DELETE", f"/graph-chains/{segment(graph_id)}/{segment(chain_id)}", nothing))

    def list_task_runs(
        self,
        *,
        limit: int | Unset = UNSET,
        sort: str | Unset = UNSET,
        null: str | Unset = UNSET,
        id: int | Unset = UNSET,
        task_id: int | Unset = UNSET,
        graph_run_id: int | Unset = UNSET,
        run_key: str | Unset = UNSET,
        attempt: int | Unset = UNSET,
        status: Literal["QUEUED", "DISPATCHED", "RUNNING", "SUCCESS", "FAILED", "SKIPPED", "CANCELLED"]
        | Unset = UNSET,
        reason: str | Unset = UNSET,
        detail: str | Unset = UNSET,
        config: str | Unset = UNSET,
        result: str | Unset = UNSET,
        external_id: str | Unset = UNSET,
        matched_by: str | Unset = UNSET,
        created_at: datetime | Unset = UNSET,
        updated_at: datetime | Unset = UNSET,
        dispatched_at: datetime | Unset = UNSET,
        accepted_at: datetime | Unset = UNSET,
        started_at: datetime | Unset = UNSET,
        finished_at: datetime | Unset = UNSET,
        task: str | Unset = UNSET,
    ) -> Iterator[models.TaskRun]:
        """List task-runs. Scope: read. Page by page."""
        for each in self.pages(
            Call(
                "GET",
                "/task-runs",
                raw,
                query={
                    "limit": limit,
                    "sort": sort,
                    "null": null,
                    "id": id,
                    "task_id": task_id,
                    "graph_run_id": graph_run_id,
                    "run_key": run_key,
                    "attempt": attempt,
                    "status": status,
                    "reason": reason,
                    "detail": detail,
                    "config": config,
                    "result": result,
                    "external_id": external_id,
                    "matched_by": matched_by,
                    "created_at": created_at,
                    "updated_at": updated_at,
                    "dispatched_at": dispatched_at,
                    "accepted_at": accepted_at,
                    "started_at": started_at,
                    "finished_at": finished_at,
                    "task": task,
                },
            )
        ):
            yield models.TaskRun.of(each)

    def create_task_run(
        self,
        *,
        task_id: int | Unset | None = UNSET,
        task: str | Unset | None = UNSET,
        run_key: str | Unset | None = UNSET,
        status: Literal["QUEUED", "DISPATCHED", "RUNNING", "SUCCESS", "FAILED", "SKIPPED", "CANCELLED"]
        | Unset = UNSET,
        result: dict[str, Any] | Unset | None = UNSET,
        external_id: str | Unset | None = UNSET,
        detail: str | Unset | None = UNSET,
        idempotency_key: str | None = None,
    ) -> models.TaskRun:
        """Create a task run. Scope: operate."""
        return self.do(
            Call(
                "POST",
                "/task-runs",
                models.TaskRun.of,
                body=sent(
                    {
                        "task_id": task_id,
                        "task": task,
                        "run_key": run_key,
                        "status": status,
                        "result": result,
                        "external_id": external_id,
                        "detail": detail,
                    }
                ),
                idempotency_key=idempotency_key,
            )
        )

    def get_task_run(self, id: int) -> models.TaskRun:
        """One task run. Scope: read."""
        return self.do(Call("GET", f"/task-runs/{segment(id)}", models.TaskRun.of))

    def delete_task_run(self, id: int) -> None:
        """Delete a task run. Scope: admin."""
        return self.do(Call("DELETE", f"/task-runs/{segment(id)}", nothing))

    def update_task_run(
        self,
        id: int,
        *,
        status: Literal["QUEUED", "DISPATCHED", "RUNNING", "SUCCESS", "FAILED", "SKIPPED", "CANCELLED"]
        | Unset
        | None = UNSET,
        reason: str | Unset | None = UNSET,
        detail: str | Unset | None = UNSET,
        result: dict[str, Any] | Unset | None = UNSET,
        if_match: str | None = None,
    ) -> models.TaskRun:
        """Change a task run. Scope: operate."""
        return self.do(
            Call(
                "PATCH",
                f"/task-runs/{segment(id)}",
                models.TaskRun.of,
                body=sent({"status": status, "reason": reason, "detail": detail, "result": result}),
                if_match=if_match,
            )
        )

    def list_graph_runs(
        self,
        *,
        limit: int | Unset = UNSET,
        sort: str | Unset = UNSET,
        null: str | Unset = UNSET,
        id: int | Unset = UNSET,
        graph_id: int | Unset = UNSET,
        version_id: int | Unset = UNSET,
        run_key: str | Unset = UNSET,
        params: str | Unset = UNSET,
        status: Literal["RUNNING", "SUCCESS", "FAILED", "CANCELLED"] | Unset = UNSET,
        reason: str | Unset = UNSET,
        detail: str | Unset = UNSET,
        opened_by: str | Unset = UNSET,
        replaces_id: int | Unset = UNSET,
        replaced_by_id: int | Unset = UNSET,
        created_at: datetime | Unset = UNSET,
        updated_at: datetime | Unset = UNSET,
        finished_at: datetime | Unset = UNSET,
        graph: str | Unset = UNSET,
    ) -> Iterator[models.GraphRun]:
        """List graph-runs. Scope: read. Page by page."""
        for each in self.pages(
            Call(
                "GET",
                "/graph-runs",
                raw,
                query={
                    "limit": limit,
                    "sort": sort,
                    "null": null,
                    "id": id,
                    "graph_id": graph_id,
                    "version_id": version_id,
                    "run_key": run_key,
                    "params": params,
                    "status": status,
                    "reason": reason,
                    "detail": detail,
                    "opened_by": opened_by,
                    "replaces_id": replaces_id,
                    "replaced_by_id": replaced_by_id,
                    "created_at": created_at,
                    "updated_at": updated_at,
                    "finished_at": finished_at,
                    "graph": graph,
                },
            )
        ):
            yield models.GraphRun.of(each)

    def create_graph_run(
        self,
        *,
        graph_id: int | Unset | None = UNSET,
        graph: str | Unset | None = UNSET,
        run_key: str | Unset | None = UNSET,
        params: dict[str, Any] | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.GraphRun:
        """Create a graph run. Scope: operate."""
        return self.do(
            Call(
                "POST",
                "/graph-runs",
                models.GraphRun.of,
                body=sent({"graph_id": graph_id, "graph": graph, "run_key": run_key, "params": params}),
                idempotency_key=idempotency_key,
            )
        )

    def get_graph_run(self, id: int) -> models.GraphRun:
        """One graph run. Scope: read."""
        return self.do(Call("GET", f"/graph-runs/{segment(id)}", models.GraphRun.of))

    def delete_graph_run(self, id: int) -> None:
        """Delete a graph run. Scope: admin."""
        return self.do(Call("DELETE", f"/graph-runs/{segment(id)}", nothing))

    def update_graph_run(
        self,
        id: int,
        *,
        status: Literal["RUNNING", "SUCCESS", "FAILED", "CANCELLED"],
        reason: str | Unset | None = UNSET,
        if_match: str | None = None,
    ) -> models.GraphRun:
        """Change a graph run. Scope: operate."""
        return self.do(
            Call(
                "PATCH",
                f"/graph-runs/{segment(id)}",
                models.GraphRun.of,
                body=sent({"status": status, "reason": reason}),
                if_match=if_match,
            )
        )

    def list_graph_run_task_runs(
        self,
        *,
        limit: int | Unset = UNSET,
        sort: str | Unset = UNSET,
        null: str | Unset = UNSET,
        graph_run_id: int | Unset = UNSET,
        task_run_id: int | Unset = UNSET,
        task_id: int | Unset = UNSET,
        attempt: int | Unset = UNSET,
        created_at: datetime | Unset = UNSET,
    ) -> Iterator[models.GraphRunTaskRun]:
        """List graph-run-task-runs. Scope: read. Page by page."""
        for each in self.pages(
            Call(
                "GET",
                "/graph-run-task-runs",
                raw,
                query={
                    "limit": limit,
                    "sort": sort,
                    "null": null,
                    "graph_run_id": graph_run_id,
                    "task_run_id": task_run_id,
                    "task_id": task_id,
                    "attempt": attempt,
                    "created_at": created_at,
                },
            )
        ):
            yield models.GraphRunTaskRun.of(each)

    def create_graph_run_task_run(
        self, *, graph_run_id: int, task_run_id: int, idempotency_key: str | None = None
    ) -> models.GraphRunTaskRun:
        """Create a graph run's task run. Scope: operate."""
        return self.do(
            Call(
                "POST",
                "/graph-run-task-runs",
                models.GraphRunTaskRun.of,
                body=sent({"graph_run_id": graph_run_id, "task_run_id": task_run_id}),
                idempotency_key=idempotency_key,
            )
        )

    def get_graph_run_task_run(self, graph_run_id: int, task_run_id: int) -> models.GraphRunTaskRun:
        """One graph run's task run. Scope: read."""
        return self.do(
            Call(
                "GET",
                f"/graph-run-task-runs/{segment(graph_run_id)}/{segment(task_run_id)}",
                models.GraphRunTaskRun.of,
            )
        )

    def delete_graph_run_task_run(self, graph_run_id: int, task_run_id: int) -> None:
        """Delete a graph run's task run. Scope: admin."""
        return self.do(
            Call("DELETE", f"/graph-run-task-runs/{segment(graph_run_id)}/{segment(task_run_id)}", nothing)
        )

    def launch_graph(
        self,
        id: int,
        *,
        params: dict[str, Any] | Unset = UNSET,
        run_key: str | Unset | None = UNSET,
        tasks: list[str] | Unset | None = UNSET,
        idempotency_key: str | None = None,
    ) -> models.GraphRun:
        """Run a graph by hand, whole or from given tasks downstream. Scope: operate."""
        return self.do(
            Call(
                "POST",
                f"/graphs/{segment(id)}/launch",
                models.GraphRun.of,
                body=sent({"params": params, "run_key": run_key, "tasks": tasks}),
                idempotency_key=idempotency_key,
            )
        )

    def launch_chain(
        self,
        id: int,
        *,
        params: dict[str, Any] | Unset = UNSET,
        run_key: str | Unset | None = UNSET,
        graph: str | Unset | None = UNSET,
        idempotency_key: str | None = None,
    ) -> models.GraphRun:
        """Run one chain by hand: its previous task, its next, and what is downstream of that. Scope: operate."""
        return self.do(
            Call(
                "POST",
                f"/chains/{segment(id)}/launch",
                models.GraphRun.of,
                body=sent({"params": params, "run_key": run_key, "graph": graph}),
                idempotency_key=idempotency_key,
            )
        )

    def launch_task(
        self,
        id: int,
        *,
        params: dict[str, Any] | Unset = UNSET,
        run_key: str | Unset | None = UNSET,
        graph: str | Unset | None = UNSET,
        idempotency_key: str | None = None,
    ) -> models.GraphRun:
        """Run a task and what is downstream of it in its graph. Scope: operate."""
        return self.do(
            Call(
                "POST",
                f"/tasks/{segment(id)}/launch",
                models.GraphRun.of,
                body=sent({"params": params, "run_key": run_key, "graph": graph}),
                idempotency_key=idempotency_key,
            )
        )

    def pause_graph(self, id: int, *, idempotency_key: str | None = None) -> None:
        """Hold every dispatch of a graph's runs; events go on. Scope: operate."""
        return self.do(
            Call("POST", f"/graphs/{segment(id)}/pause", nothing, body={}, idempotency_key=idempotency_key)
        )

    def resume_graph(
        self, id: int, *, skip: bool | Unset = UNSET, idempotency_key: str | None = None
    ) -> None:
        """Send what was held, the oldest run first; with skip cancel it. Scope: operate."""
        return self.do(
            Call(
                "POST",
                f"/graphs/{segment(id)}/resume",
                nothing,
                body=sent({"skip": skip}),
                idempotency_key=idempotency_key,
            )
        )

    def rerun_graph_run(
        self, id: int, *, from_tasks: list[str] | Unset | None = UNSET, idempotency_key: str | None = None
    ) -> models.GraphRun:
        """A new run that takes over from given tasks, or from what failed, and shares the rest. Scope: operate."""
        return self.do(
            Call(
                "POST",
                f"/graph-runs/{segment(id)}/rerun",
                models.GraphRun.of,
                body=sent({"from_tasks": from_tasks}),
                idempotency_key=idempotency_key,
            )
        )

    def cancel_graph_run(
        self, id: int, *, reason: str | Unset | None = UNSET, idempotency_key: str | None = None
    ) -> models.GraphRun:
        """End a run at once; the tools are not told. Scope: operate."""
        return self.do(
            Call(
                "POST",
                f"/graph-runs/{segment(id)}/cancel",
                models.GraphRun.of,
                body=sent({"reason": reason}),
                idempotency_key=idempotency_key,
            )
        )

    def mark_task_run(
        self,
        id: int,
        *,
        status: Literal["SUCCESS", "FAILED"],
        reason: str | Unset | None = UNSET,
        idempotency_key: str | None = None,
    ) -> models.Taken:
        """Say by hand how a task run ended; an ended one becomes SUCCESS in a run that takes over. Scope: operate."""
        return self.do(
            Call(
                "POST",
                f"/task-runs/{segment(id)}/mark",
                models.Taken.of,
                body=sent({"status": status, "reason": reason}),
                idempotency_key=idempotency_key,
            )
        )

    def cancel_task_run(
        self, id: int, *, reason: str | Unset | None = UNSET, idempotency_key: str | None = None
    ) -> None:
        """End a task run at once; the tool is not told. Scope: operate."""
        return self.do(
            Call(
                "POST",
                f"/task-runs/{segment(id)}/cancel",
                nothing,
                body=sent({"reason": reason}),
                idempotency_key=idempotency_key,
            )
        )

    def explain_graph_run(self, id: int) -> list[models.ExplainRow]:
        """In words, why each task of a run is where it is. Scope: read."""
        found = self.do(Call("GET", f"/graph-runs/{segment(id)}/explain", raw))
        return [models.ExplainRow.of(each) for each in found["items"]]

    def picture_graph_run(self, id: int) -> list[models.PictureRow]:
        """Every task of a run with the tasks before it and how it stands. Scope: read."""
        found = self.do(Call("GET", f"/graph-runs/{segment(id)}/picture", raw))
        return [models.PictureRow.of(each) for each in found["items"]]

    def shape_graph(self, id: int) -> list[models.ShapeRow]:
        """The tasks of a graph, each with the tasks before it. Scope: read."""
        found = self.do(Call("GET", f"/graphs/{segment(id)}/shape", raw))
        return [models.ShapeRow.of(each) for each in found["items"]]

    def check_graph(self, id: int) -> list[models.CheckRow]:
        """What is wrong with a graph before it runs. Scope: read."""
        found = self.do(Call("GET", f"/graphs/{segment(id)}/check", raw))
        return [models.CheckRow.of(each) for each in found["items"]]

    def graph_run_as_of(self, id: int, *, at: datetime | Unset = UNSET) -> list[models.StateRow]:
        """The state of a run at an instant, told by its history. Scope: read."""
        found = self.do(Call("GET", f"/graph-runs/{segment(id)}/as-of", raw, query={"at": at}))
        return [models.StateRow.of(each) for each in found["items"]]

    def graph_run_history(
        self, id: int, *, limit: int | Unset = UNSET, after: int | Unset = UNSET
    ) -> list[models.HistoryRow]:
        """Transitions of a run and of the task runs it holds, oldest first. Scope: read."""
        found = self.do(
            Call("GET", f"/graph-runs/{segment(id)}/history", raw, query={"limit": limit, "after": after})
        )
        return [models.HistoryRow.of(each) for each in found["items"]]

    def task_run_history(
        self, id: int, *, limit: int | Unset = UNSET, after: int | Unset = UNSET
    ) -> list[models.HistoryRow]:
        """Transitions of a task run, and events that changed nothing. Scope: read."""
        found = self.do(
            Call("GET", f"/task-runs/{segment(id)}/history", raw, query={"limit": limit, "after": after})
        )
        return [models.HistoryRow.of(each) for each in found["items"]]

    def service_status(self) -> models.ServiceState:
        """State, bridges, lag, horizon and backlog. Scope: read."""
        return self.do(Call("GET", "/service", models.ServiceState.of))

    def start_service(self, *, idempotency_key: str | None = None) -> models.ServiceState:
        """Let the bridges take in and send again. Scope: operate."""
        return self.do(
            Call("POST", "/service/start", models.ServiceState.of, body={}, idempotency_key=idempotency_key)
        )

    def stop_service(self, *, idempotency_key: str | None = None) -> models.ServiceState:
        """Within 5 s every bridge takes in and sends nothing; nothing is lost. Scope: operate."""
        return self.do(
            Call("POST", "/service/stop", models.ServiceState.of, body={}, idempotency_key=idempotency_key)
        )

    def send_event(
        self, event: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.EventAnswer:
        """An event exactly as from Kafka. 202: it became a dead letter, whose id is answered. Scope: operate."""
        return self.do(
            Call("POST", "/events", models.EventAnswer.of, body=event, idempotency_key=idempotency_key)
        )

    def list_dead_letters(
        self,
        *,
        limit: int | Unset = UNSET,
        reason: str | Unset = UNSET,
        topic: str | Unset = UNSET,
        state: Literal["open", "replayed", "all"] | Unset = UNSET,
    ) -> Iterator[models.DeadLetter]:
        """Newest first. Scope: read. Page by page."""
        for each in self.pages(
            Call(
                "GET",
                "/dead-letters",
                raw,
                query={"limit": limit, "reason": reason, "topic": topic, "state": state},
            )
        ):
            yield models.DeadLetter.of(each)

    def get_dead_letter(self, id: int) -> models.DeadLetter:
        """One message with its reason. Scope: read."""
        return self.do(Call("GET", f"/dead-letters/{segment(id)}", models.DeadLetter.of))

    def replay_dead_letter(self, id: int, *, idempotency_key: str | None = None) -> models.Replayed:
        """Apply it now, under the present rules, once. Scope: operate."""
        return self.do(
            Call(
                "POST",
                f"/dead-letters/{segment(id)}/replay",
                models.Replayed.of,
                body={},
                idempotency_key=idempotency_key,
            )
        )

    def replay_dead_letters(
        self,
        *,
        reason: str | Unset | None = UNSET,
        topic: str | Unset | None = UNSET,
        idempotency_key: str | None = None,
    ) -> models.ReplayedMany:
        """Apply every open one that matches, once each, oldest first; what still cannot be stays open. Scope: operate."""
        return self.do(
            Call(
                "POST",
                "/dead-letters/replay",
                models.ReplayedMany.of,
                body=sent({"reason": reason, "topic": topic}),
                idempotency_key=idempotency_key,
            )
        )

    def explain_dead_letter(self, id: int) -> list[models.WhyRow]:
        """Why it is a dead letter, and what a replay would do. Scope: read."""
        found = self.do(Call("GET", f"/dead-letters/{segment(id)}/explain", raw))
        return [models.WhyRow.of(each) for each in found["items"]]

    def explain_event(
        self, event: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> list[models.WhyRow]:
        """Why did an event do nothing? What was recorded of it, and what it would do now; nothing is changed. Scope: read."""
        found = self.do(Call("POST", "/events/explain", raw, body=event, idempotency_key=idempotency_key))
        return [models.WhyRow.of(each) for each in found["items"]]
