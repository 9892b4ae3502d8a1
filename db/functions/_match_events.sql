create or replace function orchestration._match_events(
    p_from integer, p_status text[], p_id bigint[], p_service text[], p_process text[], p_task text[], p_key text[], p_ext text[], p_event_id text[],
    p_target bigint[], p_match text[], p_process_id bigint[], p_task_id bigint[], p_reason text[], p_words text[],
    out o_target bigint[], out o_match text[], out o_process_id bigint[], out o_task_id bigint[], out o_reason text[], out o_words text[], out o_to integer)
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_mergejoin = off
as $$
-- Purpose: which execution do the events p_from and after belong to (SPEC 4.1, rules 2 to 6), and how far may they be applied together?
--          Looks at the state as it is; an event that an earlier one of the stretch could make see another state ends the stretch before it.
--          An event that needs more than the common cases stands alone and is decided by _match_one.
-- Parameters: the events, and what is known of those that name their task run.
-- Returns: target (null and no reason: new work), how it was matched, process, task, dead letter reason and words, and the last event of the pass.
-- Calls:   _match_one, _own_gap, _judge.
declare
    v_n integer := cardinality(p_status);
    v_memory interval := (select s.value::interval from orchestration.setting s where s.name = 'event_memory');
    v_now timestamptz := orchestration._now();
    v_cut integer;
    v_hashes bigint[];
    v_repeat record;
    v_one record; v_gap record;
    v_tasks bigint[]; v_any_repeat boolean; v_judged record;
    b_i integer[]; b_process bigint[]; b_task bigint[]; b_echoes boolean[]; b_ext_target bigint[]; b_reason text[]; b_words text[]; b_fit integer[];
    m_i integer[]; m_target bigint[]; m_slow boolean[];
begin
    o_target := p_target; o_match := p_match; o_process_id := p_process_id; o_task_id := p_task_id; o_reason := p_reason; o_words := p_words;
    o_to := v_n;
    -- process, task and known external id of the events that name no task run
    if array_position(p_id, null, p_from) is not null then
        select array_agg(b.i), array_agg(c.process_id), array_agg(case when c.fit = 1 then c.task_id end), array_agg(c.echoes), array_agg(x.task_run_id),
               array_agg(case when c.process_id is null or (x.task_run_id is null and c.fit = 0) then 'unknown' end),
               array_agg(case when c.process_id is null then format('no task is known for process %s of service %s', p_process[b.i], p_service[b.i])
                              when x.task_run_id is null and c.fit = 0 then format('process %s of service %s has no task %s', p_process[b.i], p_service[b.i], p_task[b.i]) end),
               array_agg(case when c.archived then 2 else c.fit end)
        into b_i, b_process, b_task, b_echoes, b_ext_target, b_reason, b_words, b_fit
        from generate_series(p_from, v_n) b(i)
        cross join lateral (
            -- what is archived still has executions in flight, but counts only where nothing else fits
            select f.process_id, f.echoes, case when f.live > 0 then f.live else f.fit end as fit,
                   case when f.live > 0 then f.live_task_id else f.task_id end as task_id, f.live = 0 as archived
            from (select min(k.process_id) as process_id, bool_or(k.echoes_ids) as echoes,
                         (count(*) filter (where p_task[b.i] is null or k.task_name = p_task[b.i]))::integer as fit,
                         (count(*) filter (where not k.archived and (p_task[b.i] is null or k.task_name = p_task[b.i])))::integer as live,
                         min(k.task_id) filter (where p_task[b.i] is null or k.task_name = p_task[b.i]) as task_id,
                         min(k.task_id) filter (where not k.archived and (p_task[b.i] is null or k.task_name = p_task[b.i])) as live_task_id
                  from orchestration.task_card k
                  where k.service_name = p_service[b.i] and k.process_uid = p_process[b.i]) f) c
        left join lateral (select y.task_run_id from orchestration.external_execution y where y.process_id = c.process_id and y.external_id = p_ext[b.i] offset 0) x on true
        where p_id[b.i] is null and p_status[b.i] is not null;
    end if;
    for n in 1 .. coalesce(cardinality(b_i), 0) loop
        o_process_id[b_i[n]] := b_process[n]; o_task_id[b_i[n]] := b_task[n]; o_reason[b_i[n]] := b_reason[n]; o_words[b_i[n]] := b_words[n];
        o_target[b_i[n]] := b_ext_target[n]; o_match[b_i[n]] := case when b_ext_target[n] is not null then 'external_id' end;
    end loop;
    -- the same (process, event_id, status) again: mostly no hash of the batch is known, nor twice in it
    v_hashes := array(select hashtextextended(p_event_id[e.i], o_process_id[e.i]) from generate_series(p_from, v_n) e(i)
                      where p_event_id[e.i] is not null and o_process_id[e.i] is not null and o_reason[e.i] is null);
    if cardinality(v_hashes) > 0 then
        v_any_repeat := exists (select from orchestration.event_seen x where x.event_hash = any (v_hashes) and x.at > v_now - v_memory and x.at < v_now + interval '1 day');
    end if;
    if cardinality(v_hashes) > 1 and not v_any_repeat then
        v_any_repeat := (select count(h) > count(distinct h) from unnest(v_hashes) h);
    end if;
    if v_any_repeat then
        for v_repeat in
            select x.* from (
                select e.i::integer as i, s.task_run_id, s.hit, lag(e.i::integer) over (partition by e.process_id, e.event_id, e.status order by e.i) as earlier
                from unnest(p_event_id, o_process_id, p_status, o_reason) with ordinality e(event_id, process_id, status, reason, i)
                left join lateral (
                    select x.task_run_id, true as hit from orchestration.event_seen x
                    where x.event_hash = hashtextextended(e.event_id, e.process_id) and x.process_id = e.process_id and x.event_id = e.event_id and x.status = e.status
                      and x.at > v_now - v_memory and x.at < v_now + interval '1 day'
                    limit 1) s on true
                where e.event_id is not null and e.process_id is not null and e.i >= p_from and e.reason is null) x
            where x.hit or x.earlier is not null
        loop
            if v_repeat.hit then
                o_reason[v_repeat.i] := 'repeat'; o_target[v_repeat.i] := v_repeat.task_run_id;
            elsif v_repeat.earlier is not null then
                o_to := least(o_to, v_repeat.i - 1);
            end if;
        end loop;
    end if;
    if b_i is null and not exists (
        -- nothing that names no task run, nor the end of work a tool started by itself
        select from unnest(o_target, p_status) with ordinality e(target, status, i)
        cross join lateral (select from orchestration.task_run x where x.id = e.target and x.graph_run_id is null and x.dispatched_at is null and x.finished_at is null offset 0) t
        where e.i >= p_from and e.status in ('SUCCESS', 'FAILED', 'SKIPPED')) then
        return;
    end if;
    -- an external id or a task run that an earlier event of the stretch may bind or make
    select min(x.i) into v_cut
    from (select e.i, e.target, e.id, e.reason, lag(e.i) over (partition by e.ext order by e.i) as earlier
          from unnest(p_ext, o_target, p_id, o_reason) with ordinality e(ext, target, id, reason, i)
          where e.ext is not null and e.i >= p_from) x
    where x.earlier is not null and x.id is null and x.target is null and x.reason is null;
    o_to := least(o_to, v_cut - 1);
    select min(x.i) into v_cut from unnest(p_id, o_reason) with ordinality x(id, reason, i) where x.i > p_from and x.id is not null and x.reason = 'unknown';
    o_to := least(o_to, v_cut - 1);

    -- rule 4, the common cases: the k-th event of a task and key takes the k-th oldest execution in flight of that task and key
    with item as (
        select b.i, b.task_id, b.echoes, b.fit, p_key[b.i] as key, p_ext[b.i] as ext, p_status[b.i] as status,
               p_status[b.i] in ('SUCCESS', 'FAILED', 'SKIPPED') or p_ext[b.i] is not null as takes
        from unnest(b_i, b_task, b_echoes, b_fit) b(i, task_id, echoes, fit)
        where o_reason[b.i] is null and o_target[b.i] is null and b.i <= o_to
    ), ask as materialized (
        select distinct task_id from item where task_id is not null
    ), known as materialized (
        -- per task: the first earlier event with a known target
        select e.task_id, min(e.i) as ends_at
        from unnest(o_task_id, o_target, o_reason) with ordinality e(task_id, target, reason, i)
        where e.i >= p_from and e.target is not null and e.reason is null and e.task_id in (select a.task_id from ask a)
        group by e.task_id
    ), fact as materialized (
        select t.task_id,
               exists (select from orchestration.task_run q where q.task_id = t.task_id and q.awaits_tool offset 0) as owes,
               exists (select from orchestration.task_run q where q.task_id = t.task_id and q.status in ('QUEUED', 'DISPATCHED', 'RUNNING') offset 0) as flies,
               exists (select from orchestration.chain c where c.next_task_id = t.task_id offset 0) as led,
               exists (select from orchestration.graph_root g where g.task_id = t.task_id offset 0)
                   or not exists (select from orchestration.chain c join orchestration.graph_chain gc on gc.chain_id = c.id
                                  join orchestration.graph g on g.id = gc.graph_id and not g.archived
                                  where c.previous_task_id = t.task_id or c.next_task_id = t.task_id offset 0) as placeable,
               k.ends_at
        from ask t
        left join known k on k.task_id = t.task_id
    ), ranked as (
        select i.*, f.owes, f.flies, f.led, f.placeable, f.ends_at,
               1 + coalesce(sum(case when i.takes then 1 else 0 end) over (partition by i.task_id, i.key order by i.i rows between unbounded preceding and 1 preceding), 0) as k,
               bool_or(i.ext is not null) over (partition by i.task_id) and bool_or(i.ext is null) over (partition by i.task_id) as mixed,
               min(case when i.status in ('RUNNING', 'ACCEPTED') then i.i end) over (partition by i.task_id order by i.i rows between unbounded preceding and 1 preceding) as opened
        from item i left join fact f on f.task_id = i.task_id
    ), flight as materialized (
        select a.task_id, a.key, q.id, q.external_id is not null as bound, q.status = 'QUEUED' as queued,
               row_number() over (partition by a.task_id, a.key order by q.status = 'QUEUED', q.id) as k
        from (select r.task_id, r.key, count(*) as n from ranked r where not r.echoes and r.flies group by r.task_id, r.key) a
        cross join lateral (
            (select x.id, x.external_id, x.status from orchestration.task_run x
             where x.task_id = a.task_id and x.run_key = a.key and x.status in ('QUEUED', 'DISPATCHED', 'RUNNING') order by x.id limit a.n)
            union all
            (select x.id, x.external_id, x.status from orchestration.task_run x
             where a.key is null and x.task_id = a.task_id and x.run_key is null and x.status in ('QUEUED', 'DISPATCHED', 'RUNNING') order by x.id limit a.n)) q
    ), paired as (
        -- the k-th event meets the k-th execution of its task and key: by grouping, so that no plan can make it a quadratic join
        select u.*, max(u.flight) over (partition by u.task_id, u.key, u.k) as id,
               bool_or(u.queued) over (partition by u.task_id, u.key) or (u.ext is not null and bool_or(u.bound) over (partition by u.task_id, u.key)) as odd
        from (select r.i, r.task_id, r.key, r.k, r.status, r.ext, r.echoes, r.fit, r.owes, r.flies, r.led, r.placeable, r.ends_at, r.mixed, r.opened,
                     null::bigint as flight, false as bound, false as queued
              from ranked r
              union all
              select null, f.task_id, f.key, f.k, null, null, false, null, null, null, null, null, null, null, null, f.id, f.bound, f.queued from flight f) u
    )
    select array_agg(x.i order by x.i), array_agg(x.id order by x.i), array_agg(x.slow order by x.i) into m_i, m_target, m_slow
    from (
        select r.i, r.id,
               -- not a common case
               r.fit > 1 or r.owes or not r.placeable and r.id is null
               or (not r.echoes and (r.odd or r.mixed or r.ends_at < r.i
                   or (r.id is null and (r.flies or r.opened is not null or r.status = 'ACCEPTED' or (r.led and r.i > p_from)))))
               or (r.echoes and r.status = 'ACCEPTED') as slow
        from paired r
        where r.i is not null
    ) x;
    for n in 1 .. coalesce(cardinality(m_i), 0) loop
        exit when m_i[n] > o_to;
        if m_slow[n] then
            if m_i[n] = p_from then
                select x.* into v_one
                from orchestration._match_one(p_service[p_from], p_process[p_from], o_task_id[p_from], p_key[p_from], p_ext[p_from], p_status[p_from]) x;
                o_target[p_from] := v_one.target; o_task_id[p_from] := v_one.task_id; o_match[p_from] := v_one.match;
                o_reason[p_from] := v_one.reason; o_words[p_from] := v_one.words;
                o_to := p_from;
            else
                o_to := least(o_to, m_i[n] - 1);
            end if;
            exit;
        end if;
        o_target[m_i[n]] := m_target[n];
        o_match[m_i[n]] := case when m_target[n] is null then 'started' else 'in_flight' end;
    end loop;
    -- the end of work a tool started by itself, whose task is a root of no graph any more: judged as if nothing had been said of it before
    select e.i, t.task_id, t.external_id into v_one
    from unnest(o_target, o_reason, p_status) with ordinality e(target, reason, status, i)
    cross join lateral (select x.task_id, x.external_id from orchestration.task_run x
                        where x.id = e.target and x.status is not distinct from 'RUNNING' and x.graph_run_id is null and x.dispatched_at is null and x.attempt = 1 offset 0) t
    where e.i between p_from and o_to and e.reason is null and e.status in ('SUCCESS', 'FAILED', 'SKIPPED')
      and not exists (select from orchestration.graph_root g where g.task_id = t.task_id offset 0)
    order by e.i limit 1;
    if v_one.i = p_from then
        o_to := p_from;
        select x.reason, x.words into v_gap
        from orchestration._own_gap(v_one.task_id, p_key[p_from], coalesce(p_ext[p_from], v_one.external_id), p_status[p_from]) x;
        o_reason[p_from] := v_gap.reason;
        o_words[p_from] := v_gap.words;
    else
        o_to := least(o_to, v_one.i - 1);
    end if;
    -- a take-over, or what a policy says, and a completion do not commute: whichever comes second waits for the next pass
    with place as materialized (
        select e.i, e.task_id, e.target, g.graph_id, case when t.graph_run_id is null then p_key[e.i] else t.run_key end as key, g.root_count,
               row_number() over (partition by g.graph_id, e.task_id, case when t.graph_run_id is null then p_key[e.i] else t.run_key end order by e.i) as nth
        from unnest(o_task_id, o_target, p_status, o_reason) with ordinality e(task_id, target, status, reason, i)
        cross join lateral (select x.graph_id, x.root_count from orchestration.graph_root x where x.task_id = e.task_id offset 0) g
        left join lateral (select x.id, x.run_key, x.graph_run_id from orchestration.task_run x where x.id = e.target offset 0) t on true
        where e.i between p_from and o_to and e.reason is null and e.status in ('SUCCESS', 'FAILED', 'SKIPPED')
          and (t.graph_run_id is null or e.status = 'SUCCESS')
    ), repeat as materialized (
        select p.i, p.target
        from place p
        where (p.root_count > 1 or p.key is not null)
          and (p.nth > 1
               or (not exists (select from orchestration.awaited_root a where a.task_id = p.task_id and a.graph_id = p.graph_id and a.run_key = coalesce(p.key, '') and a.by_event)
                   and case when p.key is not null
                            then exists (select from orchestration.graph_run q where q.graph_id = p.graph_id and q.run_key = p.key and q.opened_by = 'event')
                            else exists (select from orchestration.graph_root r
                                         cross join lateral (select x.graph_run_id from orchestration.awaited_root x where x.task_id = r.task_id and x.graph_id = p.graph_id and x.run_key = '' offset 0) a
                                         where r.graph_id = p.graph_id)
                                 or exists (select from orchestration.graph_run q where q.graph_id = p.graph_id and q.status = 'RUNNING' and q.run_key is null and q.opened_by = 'event'
                                           and q.replaced_by_id is null
                                           and q.id = (select max(y.id) from orchestration.graph_run y where y.graph_id = p.graph_id and y.run_key is null and y.opened_by = 'event')) end))
    ), done as (
        select e.i from unnest(o_target, p_status, o_reason) with ordinality e(target, status, reason, i)
        where e.i between p_from and o_to and e.reason is null and e.target is not null and e.status in ('SUCCESS', 'FAILED', 'SKIPPED')
    )
    select min(x.i), exists (select from repeat) into v_cut, v_any_repeat
    from (
          select r2.i from repeat r2 where exists (select from done d where d.i < r2.i)
          union all
          select d.i from done d where exists (select from repeat r2 where r2.i < d.i)
          union all
          -- one whose task run is known is applied before all new work of the pass
          select r2.i from repeat r2 where r2.target is not null and exists (select from place p where p.i < r2.i)
          union all
          select k.i from (select p.i, p.target, min(case when p.target is null then p.i end) over (partition by p.graph_id, p.key order by p.i) as new from place p) k
          where k.target is not null and k.new < k.i) x;
    o_to := least(o_to, v_cut - 1);
    -- new work and ends of known task runs that start the same task: the older of what they start is whose event came first
    select array_agg(k.task_id) into v_tasks
    from (select e.task_id, max(e.i) as i from unnest(o_task_id, o_target, o_reason, p_status) with ordinality e(task_id, target, reason, status, i)
          where e.i between p_from and o_to and e.target is not null and e.reason is null and e.status = 'SUCCESS' group by e.task_id) k
    where exists (
        select from (select e.task_id, min(e.i) as i from unnest(o_task_id, o_target, o_reason, p_status) with ordinality e(task_id, target, reason, status, i)
                     where e.i between p_from and o_to and e.target is null and e.reason is null and e.status = 'SUCCESS' group by e.task_id) n
        cross join lateral (select c.next_task_id from orchestration.chain c where c.previous_task_id = n.task_id offset 0) s
        where n.i < k.i
          and exists (select from orchestration.chain c where c.previous_task_id = k.task_id and c.next_task_id = s.next_task_id offset 0)
          and exists (select from orchestration.task_card x where x.task_id = s.next_task_id and not x.echoes_ids offset 0));
    if v_tasks is not null then
        select min(e.i) into v_cut
        from (select u.*, min(case when u.target is null and u.reason is null and u.status = 'SUCCESS' then u.i end) over (order by u.i) as new
              from unnest(o_task_id, o_target, o_reason, p_status) with ordinality u(task_id, target, reason, status, i) where u.i between p_from and o_to) e
        where e.target is not null and e.task_id = any (v_tasks) and e.status = 'SUCCESS' and e.new < e.i;
        o_to := least(o_to, v_cut - 1);
    end if;
    if v_any_repeat and exists (select from orchestration.graph g where g.repeat_policy = 'reject') then
        -- work a tool did by itself that every graph rejects is a dead letter
        select x.* into v_judged
        from orchestration._judge(p_from, o_to, p_status, p_key, o_task_id, o_target, o_reason) x;
        o_to := v_judged.o_to;
        for n in 1 .. coalesce(cardinality(v_judged.rejected), 0) loop
            o_reason[v_judged.rejected[n]] := 'rejected';
            o_words[v_judged.rejected[n]] := v_judged.words[n];
        end loop;
    end if;
end
$$;
comment on function orchestration._match_events(integer, text[], bigint[], text[], text[], text[], text[], text[], text[], bigint[], text[], bigint[], bigint[], text[], text[]) is
    'Which execution do events belong to, and how many may be applied together.';
