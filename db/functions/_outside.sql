create or replace function orchestration._outside(p_version_id bigint, p_task_ids bigint[], p_key text, p_through bigint default null)
returns table (task_id bigint, task_run_id bigint)
language sql stable
set search_path = ''
as $$
    -- Purpose: predecessors outside a partial run, and the success that counts for each: the latest of the same run key, else the latest;
    --          null: it never succeeded. With p_through the run takes only this one of the given tasks' successors.
    with recursive scope(task_id) as (
        select x from unnest(p_task_ids || p_through) x where x is not null
        union
        select s.task_id from scope c
        join orchestration.graph_version_task v on v.version_id = p_version_id and v.task_id = c.task_id
        cross join unnest(v.successor_ids) s(task_id)
        where p_through is null or not c.task_id = any (p_task_ids)
    ), outside as (
        select distinct p.task_id
        from scope c
        join orchestration.graph_version_task v on v.version_id = p_version_id and v.task_id = c.task_id
        cross join unnest(v.predecessor_ids) p(task_id)
        where not c.task_id = any (p_task_ids) and not exists (select from scope x where x.task_id = p.task_id)
    )
    select o.task_id, coalesce(
        (select q.id from orchestration.task_run q where q.task_id = o.task_id and q.status = 'SUCCESS' and q.run_key is not distinct from p_key order by q.id desc limit 1),
        (select q.id from orchestration.task_run q where q.task_id = o.task_id and q.status = 'SUCCESS' order by q.id desc limit 1))
    from outside o
$$;
comment on function orchestration._outside(bigint, bigint[], text, bigint) is 'Predecessors outside a partial run and the success that counts for each.';
