-- The only SQL of the bridge: calls of functions, ARCHITECTURE.md section 3 is their contract.

-- name: register_bridge
-- This instance's id.
select orchestration.register_bridge(host => %(host)s, pid => %(pid)s, version => %(version)s)

-- name: heartbeat
-- The desired state, started or stopped, and the database's clock. A lag or an end that is not known is NULL.
select h.state, h.at
from orchestration.heartbeat(
    instance => %(instance)b, partitions => %(partitions)b, lags => %(lags)b, ends => %(ends)b,
    asked_at => %(asked_at)b, known => %(known)b) as h

-- name: retire_bridge
-- Gives what it has not sent back.
select orchestration.retire_bridge(instance => %(instance)b)

-- name: claim_partitions
-- partition, next offset, epoch.
select partition, next_offset, epoch
from orchestration.claim_partitions(
    instance => %(instance)b, topic => %(topic)s, cluster_id => %(cluster_id)s, topic_id => %(topic_id)s,
    partitions => %(partitions)b)

-- name: seed_offsets
-- The operator's answer to OR701-OR704.
select orchestration.seed_offsets(
    topic => %(topic)s, cluster_id => %(cluster_id)s, topic_id => %(topic_id)s,
    partitions => %(partitions)b, offsets => %(offsets)b)

-- name: ingest
-- The dispatches of this batch: task run id, topic, key, value.
select d.task_run_id, d.topic, d.key, d.value
from orchestration.ingest(
    instance => %(instance)b, topic => %(topic)s,
    partitions => %(partitions)b, offsets => %(offsets)b, keys => %(keys)b, payloads => %(payloads)b,
    owned => %(owned)b, epochs => %(epochs)b, expected => %(expected)b, next_offsets => %(next_offsets)b,
    confirmed => %(confirmed)b) as d (task_run_id, topic, key, value)

-- name: quarantine
-- The dead letter of a message that no batch can hold, with its offset.
select orchestration.quarantine(
    instance => %(instance)b, topic => %(topic)s, partition => %(partition)b, "offset" => %(offset)b,
    key => %(key)b, payload => %(payload)b, sqlstate_code => %(sqlstate)s, message => %(message)s,
    epoch => %(epoch)b, expected => %(expected)b, next_offset => %(next_offset)b)

-- name: take_dispatches
-- Unclaimed dispatches, now claimed: task run id, topic, key, value.
select task_run_id, topic, key, value
from orchestration.take_dispatches(instance => %(instance)b, max_rows => %(max_rows)b)

-- name: confirm_dispatches
-- Delivered.
select orchestration.confirm_dispatches(instance => %(instance)b, task_run_ids => %(task_run_ids)b)

-- name: release_dispatches
-- Not delivered: unclaimed again.
select orchestration.release_dispatches(instance => %(instance)b, task_run_ids => %(task_run_ids)b)

-- name: reap_stale_runs
-- Outcome: done, more (call again), busy, stopped; what it did; what it could not.
select r.outcome, r.retries, r.resends, r.timeouts, r.graph_timeouts, r.problem from orchestration.reap_stale_runs() as r

-- name: listen
listen orchestration_task_run
