create or replace function orchestration._send(p_task_run_ids bigint[]) returns void
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
-- Purpose: write the dispatches of task runs that became DISPATCHED, and ring the bell once. A bridge's own batch is claimed by it at
--          once (setting orchestration.bridge), so it gets them back from ingest and nobody else takes them. A dispatch over 1 MiB is not
--          written: its task run is FAILED, reason config.
-- Writes:  dispatch; NOTIFY orchestration_task_run.
declare
    v_head text := '{"v":1,"type":"start","installation":"' || (select i.id from orchestration.installation i) || '","task_run_id":';
    v_tail text := ',"created_at":"' || orchestration._rfc3339(orchestration._now()) || '"}';
    v_bridge bigint := nullif(current_setting('orchestration.bridge', true), '')::bigint;
    v_now timestamptz;
    v_count integer;
    v_ids bigint[];
begin
    insert into orchestration.dispatch (task_run_id, bridge_id, topic, key, value)
    select w.id, v_bridge, w.topic, w.id::text, w.value
    from (
    select t.id, k.dispatch_topic as topic,
           v_head || t.id || ',"attempt":' || t.attempt
           || ',"graph_run_ids":[' || coalesce(case when t.shared then
                  (select string_agg(l.graph_run_id::text, ',' order by l.graph_run_id) from orchestration.graph_run_task_run l where l.task_run_id = t.id)
                  else t.graph_run_id::text end, '')
           || '],"graph":' || coalesce(to_json(g.name)::text, 'null')
           || ',"run_key":' || coalesce(to_json(t.run_key)::text, 'null')
           || ',' || k.address || ',"config":' || coalesce(t.config, '{}')::text || v_tail as value
    from unnest(p_task_run_ids) p(id)
    cross join lateral (select x.id, x.task_id, x.graph_run_id, x.attempt, x.shared, x.run_key, x.config from orchestration.task_run x where x.id = p.id offset 0) t
    cross join lateral (select x.dispatch_topic, x.address from orchestration.task_card x where x.task_id = t.task_id offset 0) k
    left join lateral (select x.graph_id from orchestration.graph_run x where x.id = t.graph_run_id offset 0) r on true
    left join lateral (select x.name from orchestration.graph x where x.id = r.graph_id offset 0) g on true
    offset 0) w
    where octet_length(w.value) <= 1048576;
    get diagnostics v_count = row_count;
    if v_count < cardinality(p_task_run_ids) then
        v_ids := array(select p.id from unnest(p_task_run_ids) p(id) where not exists (select from orchestration.dispatch d where d.task_run_id = p.id offset 0));
        v_now := orchestration._now();
        update orchestration.task_run t
        set previous_status = t.status, status = 'FAILED', reason = 'config', detail = 'the dispatch is over 1 MiB', finished_at = v_now, updated_at = v_now
        where t.id = any (v_ids) and t.status is not distinct from 'DISPATCHED';
        if v_count = 0 then
            return;
        end if;
    end if;
    perform pg_notify('orchestration_task_run', '');
end
$$;
comment on function orchestration._send(bigint[]) is 'Writes dispatches into the outbox and notifies.';
