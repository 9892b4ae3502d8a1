create or replace function orchestration._stand_in(p_run_id bigint, p_version_id bigint, p_run_key text) returns void
language plpgsql
set search_path = ''
as $$
-- Purpose: what counts for the predecessors outside a partial run, and for tasks outside whose results its config templates read: the latest success of each, of the same run key first, unless one is
--          recorded for the run already. Versions of whole graphs have none.
-- Parameters: the run (its row may come later), its version, its key.
-- Raises:  OR403 naming the tasks that never succeeded.
-- Calls:   _outside, _read_outside, _latest_success.
-- Writes:  stand_in.
declare
    v_version record;
    v_missing text;
begin
    select v.base_id, v.from_task_ids, v.through_task_id, g.name into v_version
    from orchestration.graph_version v left join orchestration.graph g on g.id = v.graph_id where v.id = p_version_id;
    if v_version.base_id is null then
        return;
    end if;
    with needed as (
        select o.task_id, o.task_run_id from orchestration._outside(v_version.base_id, v_version.from_task_ids, p_run_key, v_version.through_task_id) o
        where not exists (select from orchestration.stand_in s where s.graph_run_id = p_run_id and s.task_id = o.task_id)
        union
        select r.task_id, orchestration._latest_success(r.task_id, p_run_key) from unnest(orchestration._read_outside(p_version_id)) r(task_id)
        where not exists (select from orchestration.stand_in s where s.graph_run_id = p_run_id and s.task_id = r.task_id)
    ), written as (
        insert into orchestration.stand_in (graph_run_id, task_id, task_run_id)
        select p_run_id, n.task_id, n.task_run_id from needed n where n.task_run_id is not null
    )
    select string_agg(to_json(k.task_name)::text, ', ' order by k.task_name) into v_missing
    from needed n join orchestration.task_card k on k.task_id = n.task_id
    where n.task_run_id is null;
    if v_missing is not null then
        perform orchestration._refuse('OR403', format('a partial run of graph %s cannot be started: task %s outside of it never succeeded', to_json(v_version.name), v_missing),
            'Run that first, give it as a start task too, or launch the whole graph.');
    end if;
end
$$;
comment on function orchestration._stand_in(bigint, bigint, text) is 'Records the successes that count for predecessors outside a partial run.';
