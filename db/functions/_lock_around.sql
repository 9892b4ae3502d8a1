create or replace function orchestration._lock_around(p_task_run_id bigint) returns void
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
as $$
-- Purpose: before a person ends a task run: bring the versions of the graphs it may touch up to date and take all locks in the engine's order:
--          (graph, key) of the runs it stands in and of the graphs its success would cross into, those graph runs by id, the task run.
-- Calls:   _compile, _compile_around, _lock_groups.
declare
    v_task_id bigint;
    v_run_key text;
begin
    select t.task_id, t.run_key into v_task_id, v_run_key from orchestration.task_run t where t.id = p_task_run_id;
    if not found then
        return;
    end if;
    perform orchestration._compile((
        select array_agg(distinct r.graph_id) from orchestration.graph_run_task_run l join orchestration.graph_run r on r.id = l.graph_run_id
        where l.task_run_id = p_task_run_id and r.graph_id is not null));
    perform orchestration._compile_around(array[v_task_id]);
    perform orchestration._lock_groups(array_agg(x.graph_id), array_agg(x.run_key))
    from (select r.graph_id, r.run_key from orchestration.graph_run_task_run l join orchestration.graph_run r on r.id = l.graph_run_id
          where l.task_run_id = p_task_run_id and r.graph_id is not null
          union select g.graph_id, v_run_key from orchestration.graph_root g where g.task_id = v_task_id
          union select a.graph_id, v_run_key from orchestration.awaited_root a where a.task_id = v_task_id) x;
    perform from orchestration.graph_run r
    where r.id = any (array(select l.graph_run_id from orchestration.graph_run_task_run l where l.task_run_id = p_task_run_id))
    order by r.id for no key update;
    perform from orchestration.task_run t where t.id = p_task_run_id for no key update;
end
$$;
comment on function orchestration._lock_around(bigint) is 'Takes all locks that ending a task run by hand needs, in the engine''s order.';
