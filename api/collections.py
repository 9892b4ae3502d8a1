"""The CRUD endpoints of the nine collections, made from their declaration."""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field, create_model

from . import crud
from .auth import Caller, caller
from .database import Connection
from .models import Id
from .problems import Problem
from .resources import RESOURCES, Resource
from .views import answer, created, does, reading, writing

__all__ = ["blueprint"]

LARGEST_PAGE = 1000


def blueprint() -> APIBlueprint:
    """All nine collections under /api/v1."""
    api = APIBlueprint("collections", __name__, url_prefix="/api/v1")
    for resource in RESOURCES:
        _add(api, resource)
    return api


def _add(api: APIBlueprint, resource: Resource) -> None:
    """Register the endpoints of one collection."""
    tag = [Tag(name=resource.path, description=(resource.out.__doc__ or "").strip())]
    item = f"/{resource.path}/" + "/".join(f"<{name}>" for name in resource.key)
    path, title, changed = _path_model(resource), resource.title, (400, 404, 409, 413, 415)
    plural = resource.path.replace("-", "_")
    plan: list[tuple[str, str, str, dict[str, Any], str, dict[Any, Any]]] = [
        ("get", f"/{resource.path}", f"list_{plural}", {"query": _query_model(resource)},
         f"List {resource.path}", {200: _list_model(resource), **does()}),
        ("get", item, f"get_{resource.table}", {"path": path}, f"One {title}", {200: resource.out, **does(404)}),
        ("post", f"/{resource.path}", f"create_{resource.table}", {"body": resource.create},
         f"Create a {title}", {201: resource.out, **does(*changed)}),
        ("delete", item, f"delete_{resource.table}", {"path": path}, f"Delete a {title}",
         {204: None, **does(404, 409)}),
    ]  # fmt: skip
    if resource.patch is not None:
        plan.append(
            ("patch", item, f"update_{resource.table}", {"path": path, "body": resource.patch},
             f"Change a {title}", {200: resource.out, **does(*changed, 412)})
        )  # fmt: skip
    views = _views(resource)
    for method, rule, name, typed, summary, responses in plan:
        verb = name.partition("_")[0]
        scope = {"list": "read", "get": "read", "delete": resource.delete}.get(verb, resource.write)
        view = views[verb]
        view.__name__ = name
        view.__annotations__ = {**typed, "return": Response}
        getattr(api, method)(
            rule, tags=tag, summary=summary, description=f"Scope: {scope}.", responses=responses,
            operation_id=name, openapi_extensions={"x-scope": scope},
        )(view)  # fmt: skip


def _views(resource: Resource) -> dict[str, Callable[..., Response]]:
    """The five views of one collection, by verb."""
    may_write = _forbid_limited if resource.visible is None or resource.table == "chain" else _allow

    def list_all(query: BaseModel) -> Response:
        asked = query.model_dump(exclude_none=True)
        limit, cursor, sort = asked.pop("limit"), asked.pop("cursor", None), asked.pop("sort", None)
        null = _columns_named(resource, asked.pop("null", None))
        who = caller()

        def act(connection: Connection) -> dict[str, Any]:
            filters = _filters(connection, resource, asked)
            return crud.page(
                connection, resource, who, filters=filters, null=null, sort=sort, cursor=cursor, limit=limit
            )

        return answer(reading(act))

    def get(path: BaseModel) -> Response:
        row = reading(lambda connection: crud.fetch(connection, resource, caller(), path.model_dump()))
        etag = crud.etag(row)
        known = request.if_none_match.contains_weak(etag)
        response = Response(status=304) if known else answer(row)
        response.set_etag(etag)
        return response

    def create(body: BaseModel) -> Response:
        who = caller()
        may_write(who, resource)

        def act(connection: Connection) -> Response:
            row = crud.create(connection, resource, who, body)
            response = created(row, "/".join([resource.path, *(str(row[name]) for name in resource.key)]))
            response.set_etag(crud.etag(row))
            return response

        return writing(act)

    def update(path: BaseModel, body: BaseModel) -> Response:
        who = caller()
        may_write(who, resource)
        tags = list(request.if_match) if request.if_match and not request.if_match.star_tag else None

        def act(connection: Connection) -> Response:
            row = crud.patch(connection, resource, who, path.model_dump(), body, tags)
            response = answer(row)
            response.set_etag(crud.etag(row))
            return response

        return writing(act)

    def delete(path: BaseModel) -> Response:
        who = caller()
        may_write(who, resource)

        def act(connection: Connection) -> Response:
            crud.delete(connection, resource, who, path.model_dump())
            return Response(status=204)

        return writing(act)

    return {"list": list_all, "get": get, "create": create, "update": update, "delete": delete}


def _path_model(resource: Resource) -> type[BaseModel]:
    fields: dict[str, Any] = dict.fromkeys(resource.key, (Id, ...))
    return create_model(f"{_camel(resource)}Path", **fields)


def _list_model(resource: Resource) -> type[BaseModel]:
    return create_model(
        f"{_camel(resource)}List",
        items=(list[resource.out], ...),  # type: ignore[name-defined]
        next_cursor=(
            str | None,
            Field(description="Send it as cursor for the next page; null: this is the last."),
        ),
    )


def _query_model(resource: Resource) -> type[BaseModel]:
    """Every column is a filter, and so is every reference by name."""
    fields: dict[str, Any] = {
        "limit": (int, Field(100, ge=1, le=LARGEST_PAGE, description="Objects on a page.")),
        "cursor": (str | None, Field(None, description="next_cursor of the page before.")),
        "sort": (str | None, Field(None, description="A column; - before it descends. Ties go by id.")),
        "null": (str | None, Field(None, description="Columns that must be null, separated by commas.")),
    }
    for name, info in resource.out.model_fields.items():
        fields[name] = (
            _filter_type(resource, name, info.annotation),
            Field(None, description=f"Only {name} equal to this."),
        )
        if name in resource.documents:
            fields[name] = (
                str | None,
                Field(None, description=f"Only {name} that contains this JSON object."),
            )
    for name, reference in resource.references.items():
        if reference.by == ("name",):
            fields.setdefault(
                name, (str | None, Field(None, description=f"By the {reference.table}'s name."))
            )
    return create_model(f"{_camel(resource)}Query", __config__=ConfigDict(extra="forbid"), **fields)


def _filter_type(resource: Resource, name: str, annotation: Any) -> Any:
    """The column's own type where a query string can hold it, else text."""
    if name in resource.documents or name in resource.intervals:
        return str | None
    kinds = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    kind = kinds[0]
    base = kind if get_origin(kind) is not Annotated else get_args(kind)[0]
    if base is int:
        return (Id if name.endswith("id") else int) | None
    if base in (bool, datetime) or get_origin(kind) is Literal:
        return kind | None
    return str | None


def _filters(connection: Connection, resource: Resource, asked: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in asked.items():
        reference = resource.references.get(name)
        if reference is not None:
            found[f"{name}_id"] = crud.resolve(connection, reference, name, value)
        elif name in resource.documents:
            found[name] = _document(name, value)
        else:
            found[name] = value
    return found


def _document(name: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Problem(
            422, f"the filter {name} is no JSON object", f'Write for example ?{name}={{"team":"dwh"}}.'
        )
    return value


def _columns_named(resource: Resource, text: str | None) -> list[str]:
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    for name in names:
        if name not in resource.columns:
            raise Problem(
                422, f"{resource.path} have no column {name}", f"Name some of {', '.join(resource.columns)}."
            )
    return names


def _forbid_limited(who: Caller, resource: Resource) -> None:
    who.require_unlimited(f"change {resource.path}")


def _allow(_who: Caller, _resource: Resource) -> None:
    return None


def _camel(resource: Resource) -> str:
    return "".join(part.title() for part in resource.table.split("_"))
