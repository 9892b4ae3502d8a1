create or replace function orchestration.graph_run_picture(graph_run_id bigint)
returns table (task text, service text, after text[], task_run_id bigint, attempt integer, status text, reason text,
               dispatched_at timestamptz, started_at timestamptz, finished_at timestamptz, graph_run_ids bigint[])
language plpgsql stable security definer
set search_path = ''
as $$
-- Purpose: what a picture of a graph run needs: every task of its version with the tasks before it and the last task run it has there.
-- Returns: one row a task, in the order of ids; status null: no task run yet.
-- Raises:  OR401.
begin
    if not exists (select from orchestration.graph_run r where r.id = graph_run_picture.graph_run_id) then
        perform orchestration._refuse('OR401', format('graph run %s does not exist', coalesce(graph_run_id::text, 'null')), 'Look it up in orchestration.graph_run.');
    end if;
    return query
    select k.task_name, k.service_name, array(select p.task_name from orchestration.task_card p where p.task_id = any (v.predecessor_ids) order by p.task_name),
           t.id, t.attempt, t.status, t.reason, t.dispatched_at, t.started_at, t.finished_at,
           array(select o.graph_run_id from orchestration.graph_run_task_run o where o.task_run_id = t.id order by o.graph_run_id)
    from orchestration.graph_run r
    join orchestration.graph_version_task v on v.version_id = r.version_id
    join orchestration.task_card k on k.task_id = v.task_id
    left join lateral (select l.task_run_id from orchestration.graph_run_task_run l where l.graph_run_id = r.id and l.task_id = v.task_id
                       order by l.attempt desc limit 1) l on true
    left join orchestration.task_run t on t.id = l.task_run_id
    where r.id = graph_run_picture.graph_run_id
    order by v.task_id;
end
$$;
comment on function orchestration.graph_run_picture(bigint) is 'Every task of a graph run with the tasks before it and its last task run there.';
