create or replace function orchestration._root_stands(p_graph_id bigint, p_run_key text, p_task_id bigint, out run_id bigint, out ok boolean, out waits boolean)
language plpgsql stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
as $$
-- Purpose: where a root stands: the newest event-opened run of a graph and key (or without) that has it.
-- Returns: the run; whether the root's next report is a repeat there (it succeeded or goes on, or the run is past: taken over, or ended and
--          without key); whether that run awaits roots. No run: null, true, false.
begin
    select r.id, r.replaced_by_id is not null or (r.status <> 'RUNNING' and p_run_key is null) or t.finished_at is null or t.status = 'SUCCESS',
           exists (select from orchestration.awaited_root a where a.graph_run_id = r.id offset 0)
    into run_id, ok, waits
    from (
        (select x.id, x.status, x.replaced_by_id, l.task_run_id
         from orchestration.graph_run x
         cross join lateral (select y.task_run_id from orchestration.graph_run_task_run y where y.graph_run_id = x.id and y.task_id = p_task_id order by y.attempt desc limit 1) l
         where p_run_key is not null and x.graph_id = p_graph_id and x.run_key = p_run_key and x.opened_by = 'event'
         order by x.id desc limit 1)
        union all
        (select x.id, x.status, x.replaced_by_id, l.task_run_id
         from orchestration.graph_run x
         cross join lateral (select y.task_run_id from orchestration.graph_run_task_run y where y.graph_run_id = x.id and y.task_id = p_task_id order by y.attempt desc limit 1) l
         where p_run_key is null and x.graph_id = p_graph_id and x.run_key is null and x.opened_by = 'event'
         order by x.id desc limit 1)) r
    cross join lateral (select x.status, x.finished_at from orchestration.task_run x where x.id = r.task_run_id offset 0) t;
    if not found then
        ok := true;
        waits := false;
    end if;
end
$$;
comment on function orchestration._root_stands(bigint, text, bigint) is 'The newest event-opened run that has a root, and how it stands there.';
