"""The bridge calls the reaper: retries and resends go out within 5 s; no unread event comes too late."""

from __future__ import annotations

import json
import time

from .harness import World, eventually

NEXT = "from orchestration.task_run r join orchestration.task t on t.id = r.task_id and t.name = 'next' "


def tell(world: World, task_run_id: int, status: str) -> None:
    """What the executor reports, keyed as producers do."""
    event = {"task_run_id": task_run_id, "status": status}
    world.produce(json.dumps(event).encode(), str(task_run_id).encode())


def test_a_retry_goes_out_within_five_seconds(world: World) -> None:
    world.run("update orchestration.task set max_attempts = 2, retry_delay = '1 s' where name = 'next'")
    world.working()
    world.succeed(3)
    world.wait_dispatched(world.sent)
    for dispatch in world.dispatches():
        tell(world, dispatch["task_run_id"], "FAILED")
    world.producer.flush(10)

    def second() -> list[int]:
        return [each["task_run_id"] for each in world.dispatches() if each["attempt"] == 2]

    eventually(lambda: len(second()) == 3, "the second attempts are dispatched", 15)
    late = f"select extract(epoch from max(r.dispatched_at - o.finished_at)) - 1 {NEXT}"
    assert world.ask(late + "join orchestration.task_run o on o.id = r.retry_of_id") < 5
    assert "orchestration-reaper" in world.ask("select reaper_by from orchestration.service_status()")


def test_what_nobody_acknowledged_is_sent_again(world: World) -> None:
    world.run("update orchestration.task set ack_timeout = '1 s' where name = 'next'")
    world.working()
    world.succeed(2)
    world.wait_dispatched(world.sent)
    heard, silent = sorted({each["task_run_id"] for each in world.dispatches()})
    tell(world, heard, "ACCEPTED")
    world.producer.flush(10)
    resent = f"select r.resend_count {NEXT} where r.id = %s"
    accepted = f"select accepted_at is not null {NEXT} where r.id = %s"
    eventually(lambda: world.ask(accepted, heard), "one is acknowledged")
    times = world.ask(resent, heard)
    eventually(lambda: world.ask(resent, silent) >= times + 2, "the other is sent again, and again", 20)
    assert world.ask(resent, heard) == times, "acknowledged: no more"
    copies = [each for each in world.dispatches() if each["task_run_id"] == silent]
    assert len(copies) > 1
    assert all({**each, "created_at": 0} == {**copies[0], "created_at": 0} for each in copies)


def test_unread_completions_save_and_the_stale_are_failed(world: World) -> None:
    """The bridge is away over the deadline of 2,000; the completions of 1,000 wait unread. Not one of these is failed,
    and each of the others within 90 s of the horizon's passing the deadline."""
    world.run("update orchestration.task set timeout = '1 hour' where name = 'next'")
    bridge = world.working()
    world.succeed(2000)
    done = f"select count(*) {NEXT} where r.status = 'DISPATCHED'"
    eventually(lambda: world.ask(done) == 2000 and world.unsent() == 0, "2,000 are dispatched", 60)
    bridge.terminate()
    ids = [row[0] for row in world.rows(f"select r.id {NEXT} order by md5(r.id::text)")]
    saved = ids[:1000]
    for task_run_id in saved:
        tell(world, task_run_id, "SUCCESS")
    assert world.producer.flush(30) == 0
    # what would have taken two hours: dispatched 90 minutes ago, read to the end 2 hours ago, overdue for 30 minutes
    world.run(
        "set session_replication_role = replica;"
        "update orchestration.task_run set dispatched_at = now() - interval '90 min', delivered_at = null,"
        "  due_at = now() - interval '30 min' where status = 'DISPATCHED';"
        "update orchestration.kafka_offset set read_to_end_at = now() - interval '2 hours'"
    )
    assert world.rows("select outcome, timeouts from orchestration.reap_stale_runs()") == [("done", 0)]
    assert "partition" in world.ask("select horizon_note from orchestration.service_status()")

    world.bridge("--batch", "20").wait_for("assigned")
    passed = "select horizon > now() - interval '30 min' from orchestration.service_status()"
    eventually(lambda: world.ask(passed), "all is read", 60)
    began = time.monotonic()
    failed = f"select count(*) {NEXT} where r.status = 'FAILED' and r.reason = 'timeout'"
    eventually(lambda: world.ask(failed) == 1000, "1,000 of 1,000 are failed", 90)
    assert time.monotonic() - began < 90
    assert world.ask(f"select count(*) {NEXT} where r.status = 'SUCCESS' and r.id = any (%s)", saved) == 1000
