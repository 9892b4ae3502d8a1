create or replace function orchestration._partial_gap(p_task_id bigint, p_key text) returns text
language plpgsql
set search_path = ''
as $$
-- Purpose: what stands in the way of partial runs from this task, in words; null: nothing.
-- Calls:   _compile_around, _outside.
declare
    v_names text;
begin
    perform orchestration._compile_around(array[p_task_id]);
    select string_agg(distinct k.task_name, ', ') into v_names
    from orchestration.graph_head h
    join orchestration.graph g on g.id = h.graph_id and not g.archived
    join orchestration.graph_version_task v on v.version_id = h.version_id and v.task_id = p_task_id
    cross join lateral orchestration._outside(h.version_id, array[p_task_id], p_key) o
    join orchestration.task_card k on k.task_id = o.task_id
    where o.task_run_id is null;
    return 'no run of task ' || v_names || ' ever succeeded';
end
$$;
comment on function orchestration._partial_gap(bigint, text) is 'What stands in the way of partial runs from a task.';
