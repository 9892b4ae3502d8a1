create or replace function orchestration._is_ancestor(p_version_id bigint, p_task_id bigint, p_ancestor_id bigint) returns boolean
language plpgsql stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
-- Purpose: does one task come before another in a version? Direct predecessors and what was compiled with the version are looked up; the
--          rest (a template edited since) is walked.
begin
    if exists (select from orchestration.graph_version_task v where v.version_id = p_version_id and v.task_id = p_task_id and p_ancestor_id = any (v.predecessor_ids)) then
        return true;
    end if;
    return coalesce(
        (select f.is_ancestor from orchestration.graph_version_reference f where f.version_id = p_version_id and f.task_id = p_task_id and f.ancestor_id = p_ancestor_id),
        exists (
            with recursive up(task_id) as (
                select p.task_id
                from orchestration.graph_version_task v cross join unnest(v.predecessor_ids) p(task_id)
                where v.version_id = p_version_id and v.task_id = p_task_id
                union
                select p.task_id
                from up u
                cross join lateral (select x.predecessor_ids from orchestration.graph_version_task x where x.version_id = p_version_id and x.task_id = u.task_id offset 0) v
                cross join unnest(v.predecessor_ids) p(task_id)
            )
            select from up u where u.task_id = p_ancestor_id));
end
$$;
comment on function orchestration._is_ancestor(bigint, bigint, bigint) is 'Whether a task comes before another in a version.';
