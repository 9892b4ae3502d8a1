"""What a script does with the client, against the real API."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from flask import Flask

from orchestration.client import (
    AsyncOrchestrationServiceClient,
    NotFound,
    NotReachable,
    OrchestrationServiceClient,
    PreconditionFailed,
    RuleBroken,
    Unavailable,
    WaitTimeout,
)


@pytest.fixture(scope="module")
def graph(service: OrchestrationServiceClient) -> int:
    """`first -> second`, both dispatched to airflow; the graph's id."""
    service.create_service(name="airflow", dispatch_topic="airflow_tasks", echoes_ids=True)
    for name in ("first", "second"):
        service.create_process(service="airflow", uid=name)
        service.create_task(name=name, process={"service": "airflow", "uid": name}, timeout=60)
    made = service.create_graph(name="road")
    chain = service.create_chain(previous_task="first", next_task="second")
    service.create_graph_chain(graph="road", chain_id=chain.id)
    return made.id


def test_launch_report_wait(service: OrchestrationServiceClient, graph: int) -> None:
    run = service.launch_graph(graph, run_key="k", params={"n": 1})
    assert (run.status, run.params, run.run_key) == ("RUNNING", {"n": 1}, "k")
    with pytest.raises(WaitTimeout):
        service.wait(run.id, timeout=0.1)
    for name in ("first", "second"):
        (flying,) = service.list_task_runs(task=name, graph_run_id=run.id)
        answer = service.send_event({"task_run_id": flying.id, "status": "SUCCESS", "result": {"rows": 3}})
        assert answer.task_run_id == flying.id
    assert service.wait(run.id, timeout=5).status == "SUCCESS"
    assert {row.task for row in service.explain_graph_run(run.id)} == {"first", "second"}
    assert service.get_task_run(flying.id).result == {"rows": 3}


def test_pages_are_one_iterator(service: OrchestrationServiceClient) -> None:
    for number in range(5):
        service.create_service(name=f"page {number}")
    names = [each.name for each in service.list_services(limit=2, sort="-id")]
    assert names[:5] == [f"page {number}" for number in (4, 3, 2, 1, 0)]


def test_errors_carry_code_detail_and_hint(service: OrchestrationServiceClient) -> None:
    with pytest.raises(RuleBroken) as caught:
        service.create_process(service="airflwo", uid="x")
    assert (caught.value.code, caught.value.hint) == ("OR107", "Near matches: airflow.")
    with pytest.raises(NotFound):
        service.get_graph(999_999)


def test_an_etag_guards_a_change(service: OrchestrationServiceClient, graph: int) -> None:
    found = service.get_graph(graph)
    service.update_graph(graph, owner="me", if_match=found.etag)
    with pytest.raises(PreconditionFailed):
        service.update_graph(graph, owner="you", if_match=found.etag)
    assert service.update_graph(graph, owner=None).owner is None


def test_a_post_is_tried_again_with_the_same_key() -> None:
    keys: list[str] = []

    def busy_twice(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) < 3:
            return httpx.Response(503, json={"detail": "away"}, headers={"Retry-After": "0"})
        return httpx.Response(200, json={"task_run_id": 1, "dead_letter_id": None})

    with OrchestrationServiceClient("http://api", "t", transport=httpx.MockTransport(busy_twice)) as service:
        assert service.send_event({"status": "SUCCESS"}).task_run_id == 1
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_a_patch_without_etag_is_not_tried_again() -> None:
    seen: list[httpx.Request] = []

    def busy(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(503, json={"detail": "away"})

    with (
        OrchestrationServiceClient("http://api", "t", transport=httpx.MockTransport(busy)) as service,
        pytest.raises(Unavailable),
    ):
        service.update_graph(1, owner="me")
    assert len(seen) == 1


def test_nobody_listens() -> None:
    with (
        OrchestrationServiceClient("http://127.0.0.1:9", "t", tries=1) as service,
        pytest.raises(NotReachable, match="start the API"),
    ):
        service.service_status()


def test_the_same_with_await(app: Flask, token: str, graph: int) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        inner = app.test_client().open(
            request.url.raw_path.decode(),
            method=request.method,
            headers=dict(request.headers),
            data=request.content,
        )
        return httpx.Response(inner.status_code, content=inner.get_data(), headers=dict(inner.headers))

    async def road() -> tuple[str, list[str]]:
        transport = httpx.MockTransport(answer)
        async with AsyncOrchestrationServiceClient("http://api", token, transport=transport) as service:
            run = await service.launch_graph(graph, run_key="async")
            return run.status, [each.name async for each in service.list_tasks(limit=1)]

    assert asyncio.run(road()) == ("RUNNING", ["first", "second"])
