create or replace function orchestration.take_dispatches(instance bigint, max_rows integer)
returns table (task_run_id bigint, topic text, key text, value text)
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
-- Purpose: unsent dispatches nobody has claimed, oldest first, claimed by this bridge now. None while the service is stopped.
-- Writes:  dispatch.
begin
    return query
    with taken as (
        update orchestration.dispatch d set bridge_id = instance
        -- an array is made once; a subquery with a limit may be asked again for each row
        where d.task_run_id = any (array(
            select x.task_run_id from orchestration.dispatch x
            where x.bridge_id is null and (select s.desired from orchestration.service_state s) = 'started'
            order by coalesce(x.send_order, x.task_run_id) limit max_rows for update skip locked))
        returning d.task_run_id, d.topic, d.key, d.value, coalesce(d.send_order, d.task_run_id) as place
    )
    select t.task_run_id, t.topic, t.key, t.value from taken t order by t.place;
end
$$;
comment on function orchestration.take_dispatches(bigint, integer) is 'Claims unsent dispatches.';
