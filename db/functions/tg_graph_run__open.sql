create or replace function orchestration.tg_graph_run__open() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set orchestration.engine = 'on'
as $$
-- Purpose: history of new graph runs; those launched by hand have their roots dispatched, where the service can be sent to, else awaited.
-- Calls:   _start.
-- Writes:  task_run_event, awaited_root.
declare
    v_now timestamptz := orchestration._now();
    v_runs bigint[];
    v_tasks bigint[];
begin
    insert into orchestration.task_run_event (at, graph_run_id, new_status, source, actor, reason, detail)
    select v_now, o.id, o.status, coalesce(nullif(current_setting('orchestration.source', true), ''), 'sql'),
           nullif(current_setting('orchestration.actor', true), ''), o.opened_by,
           nullif(concat_ws('; ', 'takes over graph run ' || o.replaces_id, o.detail), '')
    from opened o;
    if exists (select from opened o where o.opened_by = 'launch') then
        insert into orchestration.awaited_root (graph_run_id, task_id, graph_id, run_key, by_event)
        select o.id, v.task_id, o.graph_id, coalesce(o.run_key, ''), false
        from opened o
        join orchestration.graph_version_task v on v.version_id = o.version_id and v.predecessor_count = 0
        join orchestration.task_card k on k.task_id = v.task_id
        where o.opened_by = 'launch' and k.dispatch_topic is null;
        select array_agg(o.id order by o.id, v.task_id), array_agg(v.task_id order by o.id, v.task_id) into v_runs, v_tasks
        from opened o
        join orchestration.graph_version_task v on v.version_id = o.version_id and v.predecessor_count = 0
        join orchestration.task_card k on k.task_id = v.task_id
        where o.opened_by = 'launch' and k.dispatch_topic is not null;
        perform orchestration._start(v_runs, v_tasks);
    end if;
    return null;
end
$$;
comment on function orchestration.tg_graph_run__open() is 'Effects of new graph runs.';
create or replace trigger _500_open after insert on orchestration.graph_run referencing new table as opened
    for each statement execute function orchestration.tg_graph_run__open();
