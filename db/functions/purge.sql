create or replace function orchestration.purge(older_than interval, batch integer default 1000) returns bigint
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set orchestration.engine = 'on'
as $$
-- Purpose: what ended long ago leaves: groups of graph runs that share task runs, closed (every run and task run of the group ended before
--          the instant), with their task runs, links and history; task runs that stand in no graph run; pauses that no run left has
--          lived through; then event ids beyond their memory, dead letters beyond their retention, versions and partitions that nothing uses any
--          more. Call it until it answers 0.
-- Parameters: older_than, at least 0; batch, how many graph runs (and as many lone task runs) to look at in one call.
-- Returns: rows removed.
-- Raises:  OR106, OR501.
-- Locks:   the runs of the batch, skipping those somebody works on; a partition is dropped only where its lock comes within 100 ms.
declare
    v_cutoff timestamptz := orchestration._now() - older_than;
    v_runs bigint[];
    v_task_runs bigint[];
    v_lone bigint[];
    v_count bigint;
    v_removed bigint := 0;
    v_barred bigint[];
    v_partition record;
begin
    if older_than is null or older_than < interval '0' then
        perform orchestration._refuse('OR106', format('purge of what is older than %s', coalesce(older_than::text, 'null')), 'Use an interval of 0 or more, for example ''90 days''.');
    end if;
    if batch is null or batch not between 1 and 100000 then
        perform orchestration._refuse('OR501', format('purge with batch %s', coalesce(batch::text, 'null')), 'Use 1 to 100000.');
    end if;
    with recursive old as materialized (
        select r.id from orchestration.graph_run r where r.finished_at < v_cutoff order by r.id limit batch
    ), grouped(seed, run_id) as (
        -- a run alone is its own group; only shared task runs lead on
        select o.id, o.id from old o
        union
        select g.seed, y.graph_run_id
        from grouped g
        cross join lateral (select l.task_run_id from orchestration.graph_run_task_run l where l.graph_run_id = g.run_id offset 0) x
        cross join lateral (select l.graph_run_id from orchestration.graph_run_task_run l where l.task_run_id = x.task_run_id offset 0) y
    ), barred as (
        select distinct g.seed
        from grouped g
        where exists (select from orchestration.graph_run r where r.id = g.run_id and (r.finished_at is null or r.finished_at >= v_cutoff) offset 0)
           or exists (select from orchestration.graph_run_task_run l
                      where l.graph_run_id = g.run_id
                        and (select t.finished_at is null or t.finished_at >= v_cutoff from orchestration.task_run t where t.id = l.task_run_id) offset 0)
    )
    select array_agg(distinct g.run_id) into v_runs from grouped g where not g.seed in (select b.seed from barred b);
    select array_agg(x.id) into v_runs
    from (select r.id from orchestration.graph_run r where r.id = any (v_runs) order by r.id for update skip locked) x;
    -- groups stay whole: where a run of one was skipped, or a new run shares one of its task runs since, or an open partial run counts on one
    loop
        select array_agg(distinct l.graph_run_id) into v_barred
        from unnest(v_runs) r(id)
        cross join lateral (select x.graph_run_id, x.task_run_id from orchestration.graph_run_task_run x where x.graph_run_id = r.id offset 0) l
        where exists (select from orchestration.graph_run_task_run o where o.task_run_id = l.task_run_id and not o.graph_run_id = any (v_runs) offset 0)
           or exists (select from orchestration.stand_in s where s.task_run_id = l.task_run_id
                      and (select o.status from orchestration.graph_run o where o.id = s.graph_run_id) = 'RUNNING' offset 0);
        exit when v_barred is null;
        v_runs := nullif(array(select r.id from unnest(v_runs) r(id) where not r.id = any (v_barred)), '{}');
    end loop;
    if v_runs is not null then
        select array_agg(distinct l.task_run_id) into v_task_runs from orchestration.graph_run_task_run l where l.graph_run_id = any (v_runs);
        delete from orchestration.countdown c where c.graph_run_id = any (v_runs);
        delete from orchestration.stand_in s where s.graph_run_id = any (v_runs);
        delete from orchestration.graph_run_task_run l where l.graph_run_id = any (v_runs);
        get diagnostics v_count = row_count;
        v_removed := v_removed + v_count;
        delete from orchestration.graph_run r where r.id = any (v_runs);
        get diagnostics v_count = row_count;
        v_removed := v_removed + v_count;
        delete from orchestration.task_run_event e where e.graph_run_id = any (v_runs) and e.task_run_id is null;
        get diagnostics v_count = row_count;
        v_removed := v_removed + v_count;
    end if;
    select array_agg(x.id) into v_lone
    from (select t.id from orchestration.task_run t
          where t.finished_at < v_cutoff and t.graph_run_id is null
            and not exists (select from orchestration.graph_run_task_run l where l.task_run_id = t.id offset 0)
            and not exists (select from orchestration.stand_in s where s.task_run_id = t.id
                            and (select o.status from orchestration.graph_run o where o.id = s.graph_run_id) = 'RUNNING' offset 0)
          order by t.id limit batch for update skip locked) x;
    v_task_runs := v_task_runs || v_lone;
    if v_task_runs is not null then
        delete from orchestration.external_execution x where x.task_run_id = any (v_task_runs);
        delete from orchestration.dispatch d where d.task_run_id = any (v_task_runs);
        delete from orchestration.task_run t where t.id = any (v_task_runs);
        get diagnostics v_count = row_count;
        v_removed := v_removed + v_count;
        delete from orchestration.task_run_event e where e.task_run_id = any (v_task_runs);
        get diagnostics v_count = row_count;
        v_removed := v_removed + v_count;
    end if;
    delete from orchestration.dead_letter d
    where d.id in (select x.id from orchestration.dead_letter x
                   where x.created_at < orchestration._now() - (select s.value::interval from orchestration.setting s where s.name = 'dead_letter_retention')
                   order by x.id limit batch);
    get diagnostics v_count = row_count;
    v_removed := v_removed + v_count;
    -- pauses that are over count for runs that were there before their end
    delete from orchestration.graph_pause p
    where p.id in (select x.id from orchestration.graph_pause x
                   where x.resumed_at < v_cutoff
                     and coalesce((select r.created_at >= x.resumed_at from orchestration.graph_run r where r.graph_id = x.graph_id order by r.id limit 1), true)
                   order by x.id limit batch);
    get diagnostics v_count = row_count;
    v_removed := v_removed + v_count;
    if v_removed > 0 then
        return v_removed;
    end if;
    -- nothing left to remove row by row: versions and partitions
    -- (a launch holds a lock on the partial version it uses: what is locked stays; then look again)
    select array_agg(x.id) into v_runs
    from (select v.id from orchestration.graph_version v
          where v.created_at < v_cutoff and not exists (select from orchestration.graph_head h where h.version_id = v.id offset 0)
          for update skip locked) x;
    with gone as (
        delete from orchestration.graph_version v
        where v.id = any (v_runs)
          and not exists (select from orchestration.graph_head h where h.version_id = v.id offset 0)
          and not exists (select from orchestration.graph_run r where r.graph_id = v.graph_id and r.version_id = v.id offset 0)
          and not exists (select from orchestration.graph_run r where v.graph_id is null and r.graph_id is null and r.version_id = v.id offset 0)
          and not exists (select from orchestration.graph_version p where p.base_id = v.id offset 0)
        returning v.id
    ), unread as (
        delete from orchestration.graph_version_reference f where f.version_id in (select g.id from gone g)
    )
    delete from orchestration.graph_version_task t where t.version_id in (select g.id from gone g);
    get diagnostics v_removed = row_count;
    perform set_config('lock_timeout', '100ms', true);
    for v_partition in
        select c.relname, p.relname as parent,
               (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz as until
        from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
        where p.oid in ('orchestration.task_run_event'::regclass, 'orchestration.event_seen'::regclass)
        order by 3
    loop
        begin
            if v_partition.parent = 'event_seen' then
                continue when v_partition.until > orchestration._now() - (select s.value::interval from orchestration.setting s where s.name = 'event_memory');
                execute format('select count(*) from orchestration.%I', v_partition.relname) into v_count;
                execute format('drop table orchestration.%I', v_partition.relname);
                v_removed := v_removed + v_count;
            else
                continue when v_partition.until > v_cutoff;
                execute format('select count(*) from (select from orchestration.%I limit 1) x', v_partition.relname) into v_count;
                if v_count = 0 then
                    execute format('drop table orchestration.%I', v_partition.relname);
                end if;
            end if;
        exception when lock_not_available then
            null;
        end;
    end loop;
    return v_removed;
end
$$;
comment on function orchestration.purge(interval, integer) is 'Removes what ended longer ago than the interval; answers the rows removed.';
