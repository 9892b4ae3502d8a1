create or replace function orchestration.tg_task_run__advance() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set work_mem = '256MB'
set orchestration.engine = 'on'
as $$
-- Purpose: the effects of transitions, whoever made them: history, dispatch, new attempts, next-task resolution, crossing into other graphs.
--          Once per real transition: rows whose status did not change are found by a hashed look-up in the old rows, never by a join of the
--          two. Where a failed execution gets a new attempt its places go on.
-- Calls:   _send, _retry, _settle, _place.
-- Writes:  task_run_event; withdraws unsent dispatches of task runs ended by hand.
declare
    v_now timestamptz := orchestration._now();
    v_source text := coalesce(nullif(current_setting('orchestration.source', true), ''), 'sql');
    v_actor text := nullif(current_setting('orchestration.actor', true), '');
    v_extra jsonb := nullif(current_setting('orchestration.extra', true), '')::jsonb;
    v_sent bigint[];
    v_ended bigint[];
    v_place bigint[];
    v_place_tasks bigint[];
    v_runs bigint[];
    v_tasks bigint[];
    v_statuses text[];
    v_shared boolean;
    v_own boolean;
    v_order text;
    v_ordered boolean := false;
    v_id bigint;
    v_homed bigint[];
    v_failed bigint[];
    v_again bigint[] := '{}'::bigint[];
begin
    with changed as (
        select n.* from after n where (n.id, n.status) not in (select o.id, o.status from before o)
    ), recorded as (
        insert into orchestration.task_run_event (at, task_run_id, graph_run_id, old_status, new_status, source, actor, matched_by, reason, detail, extra)
        select v_now, c.id, c.graph_run_id, c.previous_status, c.status, v_source, v_actor, c.matched_by, c.reason, c.detail,
               case when v_extra is not null then v_extra -> c.id::text end from changed c
    )
    select array_agg(c.id) filter (where c.status = 'DISPATCHED'),
           array_agg(c.id order by c.id) filter (where c.finished_at is not null),
           array_agg(c.graph_run_id order by c.id) filter (where c.finished_at is not null and c.graph_run_id is not null),
           array_agg(c.task_id order by c.id) filter (where c.finished_at is not null and c.graph_run_id is not null),
           array_agg(c.status order by c.id) filter (where c.finished_at is not null and c.graph_run_id is not null),
           bool_or(c.shared and c.finished_at is not null),
           array_agg(c.id order by c.status = 'SUCCESS', c.id) filter (where (c.status = 'SUCCESS' and c.graph_run_id is not null)
                                                    or (c.finished_at is not null and c.status <> 'CANCELLED' and c.graph_run_id is null and c.dispatched_at is null
                                                        and c.attempt = 1 and c.reason is distinct from 'config')),
           array_agg(distinct c.task_id) filter (where c.finished_at is not null),
           coalesce(bool_or(c.finished_at is not null and c.graph_run_id is null), false),
           array_agg(c.id order by c.id) filter (where c.status = 'FAILED' and c.dispatched_at is not null and (c.reason is null or c.reason = 'timeout')),
           array_agg(c.id order by c.id) filter (where c.finished_at is not null and c.graph_run_id is not null)
    into v_sent, v_ended, v_runs, v_tasks, v_statuses, v_shared, v_place, v_place_tasks, v_own, v_failed, v_homed
    from changed c;
    if v_sent is not null then
        perform orchestration._send(v_sent);
    end if;
    if v_ended is null then
        return null;
    end if;
    if v_source <> 'event' then
        delete from orchestration.dispatch d where d.task_run_id = any (v_ended) and d.bridge_id is null;
    end if;
    v_order := nullif(current_setting('orchestration.order', true), '');
    if v_failed is not null then
        if v_order is not null and cardinality(v_failed) > 1 then
            v_failed := array(select o.id from unnest(string_to_array(v_order, ',')::bigint[]) with ordinality o(id, i)
                              where case when o.id in (select f from unnest(v_failed) f) then true end order by o.i);
        end if;
        v_again := orchestration._retry(v_failed, v_ended);
    end if;
    if v_order is not null and cardinality(v_ended) > 1 and exists (select from orchestration.service s where not s.echoes_ids and s.dispatch_topic is not null) then
        v_ordered := true;
        -- a tool that does not echo ids is matched to the oldest execution: what events start is made in their order
        v_ended := array(select o.id from unnest(string_to_array(v_order, ',')::bigint[]) with ordinality o(id, i)
                         where case when o.id in (select x from unnest(v_ended) x) then true end order by o.i);
        if v_shared is not true and cardinality(v_again) = 0 then
            select array_agg(x.run_id order by x.i), array_agg(x.task_id order by x.i), array_agg(x.status order by x.i) into v_runs, v_tasks, v_statuses
            from (select max(u.run_id) as run_id, max(u.task_id) as task_id, max(u.status) as status, max(u.i) as i
                  from (select c.id, c.run_id, c.task_id, c.status, null::bigint as i from unnest(v_homed, v_runs, v_tasks, v_statuses) c(id, run_id, task_id, status)
                        union all
                        select e.id, null, null, null, e.i from unnest(v_ended) with ordinality e(id, i)) u
                  group by u.id having max(u.run_id) is not null) x;
        end if;
    end if;
    if v_ordered and v_place is not null and v_runs is not null and exists (select from orchestration.graph_root r where r.task_id = any (v_place_tasks)) and exists (
        -- what some start by crossing into another graph, others start in a run of that graph
        with crossing as (
            select distinct g.graph_id, s.next_task_id
            from unnest(v_place) p(id)
            cross join lateral (select x.task_id from orchestration.task_run x where x.id = p.id offset 0) t
            cross join lateral (select x.graph_id from orchestration.graph_root x where x.task_id = t.task_id offset 0) g
            cross join lateral (select c.next_task_id from orchestration.chain c where c.previous_task_id = t.task_id offset 0) s
            where not exists (select from orchestration.graph_run_task_run l
                              where l.task_run_id = p.id and (select r.graph_id from orchestration.graph_run r where r.id = l.graph_run_id) = g.graph_id offset 0)
        )
        select from crossing x
        cross join lateral (select c.previous_task_id from orchestration.chain c where c.next_task_id = x.next_task_id offset 0) b
        where (x.graph_id, b.previous_task_id) in (select r.graph_id, q.task_id from unnest(v_runs, v_tasks) q(run_id, task_id)
                                                   cross join lateral (select y.graph_id from orchestration.graph_run y where y.id = q.run_id offset 0) r)) then
        -- one after the other, so that it is started in their order
        foreach v_id in array v_ended loop
            select array_agg(l.graph_run_id order by l.graph_run_id), array_agg(l.task_id order by l.graph_run_id), array_agg(t.status order by l.graph_run_id)
            into v_runs, v_tasks, v_statuses
            from orchestration.task_run t
            join orchestration.graph_run_task_run l on l.task_run_id = t.id
            where t.id = v_id and not v_id = any (v_again);
            if v_runs is not null then
                perform orchestration._settle(v_runs, v_tasks, v_statuses);
            end if;
            if v_id = any (v_place) then
                perform orchestration._place(array[v_id]);
            end if;
        end loop;
        return null;
    end if;
    if v_shared or cardinality(v_again) > 0 then
        select array_agg(l.graph_run_id order by e.i, l.graph_run_id), array_agg(l.task_id order by e.i, l.graph_run_id),
               array_agg(t.status order by e.i, l.graph_run_id)
        into v_runs, v_tasks, v_statuses
        from unnest(v_ended) with ordinality e(id, i)
        cross join lateral (select x.status from orchestration.task_run x where x.id = e.id offset 0) t
        cross join lateral (select x.graph_run_id, x.task_run_id, x.task_id from orchestration.graph_run_task_run x where x.task_run_id = e.id offset 0) l
        where case when e.id in (select a from unnest(v_again) a) then false else true end;
    end if;
    if v_runs is not null then
        perform orchestration._settle(v_runs, v_tasks, v_statuses);
    end if;
    if v_place is not null and (
           v_own
           or exists (select from orchestration.graph_root r where r.task_id = any (v_place_tasks))
           or exists (select from orchestration.awaited_root a where a.task_id = any (v_place_tasks))
           or exists (select from orchestration.graph_change)) then
        if v_order is not null and cardinality(v_place) > 1 then
            -- events in their order, which rows of one UPDATE do not have
            v_place := array(select o.id from unnest(string_to_array(v_order, ',')::bigint[]) with ordinality o(id, i)
                             where case when o.id in (select p from unnest(v_place) p) then true end order by o.i);
        end if;
        perform orchestration._place(v_place);
    end if;
    return null;
end
$$;
comment on function orchestration.tg_task_run__advance() is 'Effects of task run transitions.';
create or replace trigger _500_advance after update on orchestration.task_run referencing old table as before new table as after
    for each statement execute function orchestration.tg_task_run__advance();
