create or replace function orchestration.service_status(
    out state text, out changed_at timestamptz, out actor text, out instances jsonb, out lag bigint, out horizon timestamptz,
    out unsent bigint, out oldest_unsent_at timestamptz, out dead_letters bigint, out in_flight bigint,
    out horizon_age interval, out horizon_note text, out reaper_at timestamptz, out reaper_by text, out reaper_did jsonb)
language plpgsql volatile security definer
set search_path = ''
as $$
-- Purpose: is it running, who runs it, how far behind is it.
-- Returns: desired state and since when and by whom; living bridges with partitions; messages not yet applied (null: unknown); the horizon
--          up to which all events were applied (null: a partition was never read to its end); dispatches not confirmed; open dead letters;
--          task runs dispatched or running; how old the horizon is, and why it stands still (null: it does not); when
--          the reaper last ran and who called it, and what it did when it last did anything.
begin
    select s.desired, s.changed_at, s.actor into state, changed_at, actor from orchestration.service_state s;
    select coalesce(jsonb_agg(jsonb_build_object(
               'id', b.id, 'host', b.host, 'pid', b.pid, 'version', b.version, 'state', b.state, 'started_at', orchestration._rfc3339(b.started_at),
               'heartbeat_at', orchestration._rfc3339(b.heartbeat_at),
               'partitions', (select coalesce(jsonb_agg(k.partition order by k.partition), '[]') from orchestration.kafka_offset k where k.bridge_id = b.id)) order by b.id), '[]')
    into instances from orchestration.bridge_instance b where b.retired_at is null;
    select sum(k.lag) into lag from orchestration.kafka_offset k;
    horizon := orchestration._horizon();
    horizon_age := orchestration._now() - horizon;
    horizon_note := orchestration._horizon_note();
    select s.ran_at, s.ran_by, s.did || jsonb_build_object('at', orchestration._rfc3339(s.did_at)) into reaper_at, reaper_by, reaper_did from orchestration.reaper_state s;
    select count(*), min(d.created_at) into unsent, oldest_unsent_at from orchestration.dispatch d;
    select count(*) into dead_letters from orchestration.dead_letter d where d.replayed_at is null;
    select count(*) into in_flight from orchestration.task_run t where t.status in ('DISPATCHED', 'RUNNING');
end
$$;
comment on function orchestration.service_status() is 'State, bridges, lag, horizon and backlog of the service.';
