"""The nine collections, declared once: table, models, references by name, and which token may write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, get_args

from pydantic import BaseModel

from . import models

__all__ = ["RESOURCES", "Reference", "Resource"]


@dataclass(frozen=True)
class Reference:
    """`name` in a body stands for the column `<name>_id`."""

    table: str
    by: tuple[str, ...] = ("name",)


@dataclass(frozen=True)
class Resource:
    """One collection. `visible`: the condition for tokens limited by label, on alias t with parameter labels."""

    path: str
    table: str
    title: str
    out: type[BaseModel]
    create: type[BaseModel]
    patch: type[BaseModel] | None
    references: Mapping[str, Reference] = field(default_factory=dict)
    key: tuple[str, ...] = ("id",)
    write: str = "configure"
    delete: str = "configure"
    visible: str | None = None
    computed: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.out.model_fields)

    @cached_property
    def intervals(self) -> frozenset[str]:
        """Columns answered as ISO 8601 durations."""
        return frozenset(
            name
            for name, info in self.out.model_fields.items()
            if "ISO 8601 duration" in (info.description or "")
            or any("ISO 8601 duration" in str(arg) for arg in get_args(info.annotation))
        )

    @cached_property
    def documents(self) -> frozenset[str]:
        """Columns of type jsonb."""
        return frozenset(
            name for name, info in self.out.model_fields.items() if "dict[str" in str(info.annotation)
        )


_GRAPH = "exists (select from orchestration.graph g where g.id = {} and g.labels @> %(labels)s)"
_RUN = (
    "exists (select from orchestration.graph_run r join orchestration.graph g on g.id = r.graph_id "
    "where r.id = {} and g.labels @> %(labels)s)"
)

RESOURCES: tuple[Resource, ...] = (
    Resource(
        "services", "service", "service", models.Service, models.ServiceCreate, models.ServicePatch,
    ),
    Resource(
        "processes", "process", "process", models.Process, models.ProcessCreate, models.ProcessPatch,
        references={"service": Reference("service")},
    ),
    Resource(
        "tasks", "task", "task", models.Task, models.TaskCreate, models.TaskPatch,
        references={"process": Reference("process", ("service", "uid"))},
    ),
    Resource(
        "chains", "chain", "chain", models.Chain, models.ChainCreate, models.ChainPatch,
        references={"previous_task": Reference("task"), "next_task": Reference("task")},
        computed={"graph_id": "(select c.graph_id from orchestration.graph_chain c where c.chain_id = t.id)"},
        visible="exists (select from orchestration.graph_chain c join orchestration.graph g on g.id = c.graph_id "
                "where c.chain_id = t.id and g.labels @> %(labels)s)",
    ),
    Resource(
        "graphs", "graph", "graph", models.Graph, models.GraphCreate, models.GraphPatch,
        visible="t.labels @> %(labels)s",
    ),
    Resource(
        "graph-chains", "graph_chain", "graph chain", models.GraphChain, models.GraphChainCreate, None,
        references={"graph": Reference("graph")}, key=("graph_id", "chain_id"), visible=_GRAPH.format("t.graph_id"),
    ),
    Resource(
        "task-runs", "task_run", "task run", models.TaskRun, models.TaskRunCreate, models.TaskRunPatch,
        references={"task": Reference("task")}, write="operate", delete="admin",
        visible="exists (select from orchestration.graph_run_task_run l where l.task_run_id = t.id and "
                + _RUN.format("l.graph_run_id") + ")",
    ),
    Resource(
        "graph-runs", "graph_run", "graph run", models.GraphRun, models.GraphRunCreate, models.GraphRunPatch,
        references={"graph": Reference("graph")}, write="operate", delete="admin", visible=_GRAPH.format("t.graph_id"),
    ),
    Resource(
        "graph-run-task-runs", "graph_run_task_run", "graph run's task run", models.GraphRunTaskRun,
        models.GraphRunTaskRunCreate, None, key=("graph_run_id", "task_run_id"), write="operate", delete="admin",
        visible=_RUN.format("t.graph_run_id"),
    ),
)  # fmt: skip


def by_path(path: str) -> Resource:
    """The collection of that name."""
    return next(resource for resource in RESOURCES if resource.path == path)


def written(body: BaseModel) -> dict[str, Any]:
    """What the caller sent, by name; what he left out is not there."""
    return body.model_dump(exclude_unset=True, mode="python")
