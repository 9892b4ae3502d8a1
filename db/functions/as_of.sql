create or replace function orchestration.as_of(graph_run_id bigint, at timestamptz)
returns table (task text, task_run_id bigint, attempt integer, status text, since timestamptz, reason text, detail text)
language plpgsql stable security definer
set search_path = ''
as $$
-- Purpose: the state of a graph run at an instant, told by its history: the run itself (task null) and every task run it held by then.
-- Parameters: at, not after now; what was purged is not told.
-- Returns: the run first, then its task runs by task and attempt; a task that had none by then has no row.
-- Raises:  OR401 no such graph run, or none yet at that instant; OR501.
declare
    v_opened timestamptz;
begin
    if as_of.at is null then
        perform orchestration._refuse('OR501', 'as_of was called without an instant', 'Give one, for example now() - interval ''1 hour''.');
    end if;
    select min(e.at) into v_opened from orchestration.task_run_event e where e.graph_run_id = as_of.graph_run_id and e.task_run_id is null;
    if v_opened is null or v_opened > as_of.at then
        perform orchestration._refuse('OR401', case when v_opened is null then format('graph run %s does not exist', coalesce(graph_run_id::text, 'null'))
            else format('graph run %s was opened at %s, after that instant', graph_run_id, orchestration._rfc3339(v_opened)) end,
            'Look it up in orchestration.graph_run.');
    end if;
    return query
    select null::text, null::bigint, null::integer, h.new_status, h.at, h.reason, h.detail
    from (select e.new_status, e.at, e.reason, e.detail from orchestration.task_run_event e
          where e.graph_run_id = as_of.graph_run_id and e.task_run_id is null and e.at <= as_of.at order by e.at desc, e.id desc limit 1) h;
    return query
    select k.task_name, l.task_run_id, l.attempt, h.new_status, h.at, h.reason, h.detail
    from orchestration.graph_run_task_run l
    join orchestration.task_card k on k.task_id = l.task_id
    cross join lateral (
        select e.new_status, e.at, e.reason, e.detail from orchestration.task_run_event e
        where e.task_run_id = l.task_run_id and e.at <= as_of.at and e.new_status is not null
          and (e.old_status is distinct from e.new_status)
        order by e.at desc, e.id desc limit 1) h
    where l.graph_run_id = as_of.graph_run_id
    order by k.task_name, l.attempt;
end
$$;
comment on function orchestration.as_of(bigint, timestamptz) is 'The state of a graph run at an instant, told by its history.';
