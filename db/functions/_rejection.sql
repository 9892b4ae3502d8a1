create or replace function orchestration._rejection(p_task_id bigint, p_graph_id bigint, p_run_id bigint) returns text
language sql stable
set search_path = ''
as $$
-- Purpose: the words of a rejection. p_run_id null: a run that is opened by the same batch.
    select format('graph %s rejects a repeat of task %s: %s has it and awaits roots', to_json(g.name), to_json(k.task_name), coalesce('graph run ' || p_run_id, 'a graph run'))
    from orchestration.graph g cross join orchestration.task_card k
    where g.id = p_graph_id and k.task_id = p_task_id
$$;
comment on function orchestration._rejection(bigint, bigint, bigint) is 'The words of a rejected repeat.';
