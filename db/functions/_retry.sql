create or replace function orchestration._retry(p_failed bigint[], p_ended bigint[]) returns bigint[]
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set orchestration.engine = 'on'
as $$
-- Purpose: a new attempt for failed executions that have attempts left (SPEC 4.6): a new task run QUEUED in the same open runs, due after
--          retry_delay, doubled with each attempt up to 1 hour. What stands in no open run any more has none, unless it runs alone.
--          The reaper dispatches it when it is due.
-- Parameters: task runs FAILED by report or time-out that we dispatched, in the order of their events; all task runs that end in the same
--             statement (their graph runs are locked together, in the one order).
-- Returns: those that got a new attempt: their places have not ended.
-- Locks:   graph_run rows in id order.
-- Calls:   _retry_delay.
-- Writes:  task_run, graph_run_task_run (the insert trigger links the home).
declare
    v_now timestamptz := orchestration._now();
    v_ids bigint[];
    v_new bigint[];
begin
    v_ids := array(
        select p.id
        from unnest(p_failed) with ordinality p(id, i)
        cross join lateral (select x.task_id, x.attempt from orchestration.task_run x where x.id = p.id offset 0) t
        where t.attempt < (select x.max_attempts from orchestration.task x where x.id = t.task_id)
        order by p.i);
    if cardinality(v_ids) = 0 then
        return v_ids;
    end if;
    perform from orchestration.graph_run r
    where r.id = any (array(select l.graph_run_id from unnest(p_ended) p(id)
                            cross join lateral (select x.graph_run_id from orchestration.graph_run_task_run x where x.task_run_id = p.id offset 0) l))
    order by r.id for no key update;
    with again as materialized (
        select nextval('orchestration.task_run_id_seq') as id, x.*
        from (
            select p.i, t.id as failed_id, t.task_id, t.run_key, t.attempt, t.status, o.runs,
                   case when t.graph_run_id = any (o.runs) then t.graph_run_id else o.runs[1] end as home_id, k.max_attempts,
                   v_now + orchestration._retry_delay(k.retry_delay, t.attempt) as due_at
            from unnest(v_ids) with ordinality p(id, i)
            cross join lateral (select y.id, y.task_id, y.graph_run_id, y.run_key, y.attempt, y.status from orchestration.task_run y where y.id = p.id offset 0) t
            cross join lateral (select y.max_attempts, y.retry_delay from orchestration.task y where y.id = t.task_id offset 0) k
            cross join lateral (
                select array_agg(l.graph_run_id order by l.graph_run_id) as runs
                from orchestration.graph_run_task_run l
                where l.task_run_id = p.id and (select r.status from orchestration.graph_run r where r.id = l.graph_run_id) = 'RUNNING') o
            where o.runs is not null
               or (t.graph_run_id is null and not exists (select from orchestration.graph_run_task_run l where l.task_run_id = p.id offset 0))
            order by p.i) x
    ), born as (
        insert into orchestration.task_run (id, task_id, graph_run_id, run_key, attempt, retry_of_id, shared, status, due_at, detail, created_at, updated_at)
        select a.id, a.task_id, a.home_id, a.run_key, a.attempt + 1, a.failed_id, coalesce(cardinality(a.runs), 0) > 1, 'QUEUED', a.due_at,
               format('attempt %s of %s, after task run %s', a.attempt + 1, a.max_attempts, a.failed_id), v_now, v_now
        from again a
        order by a.i
        returning retry_of_id
    ), linked as (
        insert into orchestration.graph_run_task_run (graph_run_id, task_run_id, task_id, attempt)
        select r.id, a.id, a.task_id, a.attempt + 1
        from again a cross join unnest(a.runs) r(id)
        where r.id <> a.home_id
    )
    select array_agg(b.retry_of_id) into v_new from born b;
    return coalesce(v_new, '{}');
end
$$;
comment on function orchestration._retry(bigint[], bigint[]) is 'New attempts for failed executions that have attempts left.';
