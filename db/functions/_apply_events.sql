create or replace function orchestration._apply_events(p_topic text, p_partitions integer[], p_offsets bigint[], p_keys bytea[], p_payloads bytea[]) returns bigint[]
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_mergejoin = off
set orchestration.engine = 'on'
set orchestration.source = 'event'
as $$
-- Purpose: take in a batch of events with exactly the result of taking them one by one (SPEC 4.1). The batch is applied in passes: a pass
--          is the longest stretch in which no event can feel the effects of another that is applied with it. Events that name their task run
--          never end a pass, those of one task run are applied in rounds; events that must be matched look at the state before the pass, and
--          end it where an earlier event of the stretch may have changed what they would find. A SUCCESS of an execution that has failed,
--          which may end its next attempt or be a correction, is a pass of its own. After a pass that was cut short the next one looks less far
--          ahead, so that a batch of many passes stays linear.
-- Parameters: coordinates, keys and raw bytes, element by element, in order.
-- Returns: for each event its task run; null for a dead letter.
-- Locks:   advisory locks of all (graph, key) the batch may place in, sorted; graph runs of the batch in id order; then task runs.
-- Calls:   _parse_events, _event_problem, _compile_around, _lock_groups, _match_events, _apply_known, _apply_late, _record_idle; triggers of task_run do the rest.
-- Writes:  task_run, external_execution, event_seen, task_run_event, dead_letter.
declare
    v_n integer := cardinality(p_payloads);
    v_now timestamptz := orchestration._now();
    v_installation text := (select x.id::text from orchestration.installation x);
    -- the events
    e_status text[]; e_id bigint[]; e_service text[]; e_process text[]; e_task text[]; e_key text[]; e_ext text[]; e_event_id text[];
    e_detail text[]; e_result jsonb[]; e_extra jsonb[];
    -- what became of them; reason and words for dead letters
    e_target bigint[]; e_match text[]; e_process_id bigint[]; e_task_id bigint[]; e_reason text[]; e_words text[];
    e_home_key text[]; -- the run key of the task run named
    v_any_blind boolean; v_any_named boolean; v_any_event_id boolean; v_any_ext boolean; v_any_extra boolean;
    v_any_failed boolean; v_any_late boolean := false; v_any_own boolean := false; v_late integer; v_alone boolean; v_window integer := v_n; v_limit integer;
    v_from integer := 1; v_to integer; v_round integer; v_rounds integer; v_accepted boolean; v_hit bigint[];
    k_target bigint[]; k_status text[]; k_match text[]; k_ext text[]; k_detail text[]; k_result jsonb[]; k_key text[];
    v_new integer[]; v_new_ids bigint[]; v_graphs bigint[]; v_run_keys text[]; v_tasks bigint[];
begin
    perform orchestration._require_read_committed();
    perform orchestration._ensure_partitions();
    with raw as (
        select u.i, u.e, octet_length(p_payloads[u.i]) as size,
               u.e ->> 'status' as status, u.e ->> 'task_run_id' as task_run_id, u.e ->> 'service' as service, u.e ->> 'process' as process, u.e ->> 'task' as task,
               u.e ->> 'run_key' as run_key, u.e ->> 'external_id' as external_id, u.e ->> 'event_id' as event_id, u.e ->> 'detail' as detail,
               u.e -> 'result' as result, u.e ->> 'installation' as installation,
               concat(u.e ->> 'service', u.e ->> 'process', u.e ->> 'task', u.e ->> 'run_key', u.e ->> 'external_id', u.e ->> 'event_id') as names
        from unnest(orchestration._parse_events(p_payloads)) with ordinality u(e, i)
        offset 0
    ), formed as (
        -- the common, flawless event is recognised at once; _event_problem has the last word on all others
        select r.*,
               case when jsonb_typeof(r.e) = 'object' and r.size <= 262144
                         and r.status in ('ACCEPTED', 'RUNNING', 'SUCCESS', 'FAILED', 'SKIPPED')
                         and coalesce(r.e -> 'v', '1') = '1'
                         and case when r.task_run_id is not null
                                  then jsonb_typeof(r.e -> 'task_run_id') = 'number' and length(r.task_run_id) <= 18 and position('.' in r.task_run_id) = 0 and position('-' in r.task_run_id) = 0
                                  else r.service is not null and r.process is not null end
                         and octet_length(r.names) <= 250 and r.names !~ '[[:cntrl:]]'
                         and (r.service is null or (r.service <> '' and jsonb_typeof(r.e -> 'service') = 'string'))
                         and (r.process is null or (r.process <> '' and jsonb_typeof(r.e -> 'process') = 'string'))
                         and (r.task is null or (r.task <> '' and jsonb_typeof(r.e -> 'task') = 'string'))
                         and (r.run_key is null or (r.run_key <> '' and jsonb_typeof(r.e -> 'run_key') = 'string'))
                         and (r.external_id is null or (r.external_id <> '' and jsonb_typeof(r.e -> 'external_id') = 'string'))
                         and (r.event_id is null or (r.event_id <> '' and jsonb_typeof(r.e -> 'event_id') = 'string'))
                         and (r.detail is null or jsonb_typeof(r.e -> 'detail') = 'string')
                         and (r.installation is null or jsonb_typeof(r.e -> 'installation') = 'string')
                         and (not r.e ? 'occurred_at' or r.e ->> 'occurred_at' is null or jsonb_typeof(r.e -> 'occurred_at') = 'string')
                         and (r.result is null or jsonb_typeof(r.result) = 'object')
                    then null
                    else orchestration._event_problem(r.e, r.size) end as problem
        from raw r
        offset 0
    ), checked as (
        select f.*, case when f.problem is not null then 'malformed' when f.installation <> v_installation then 'foreign' end as reason,
               -- what only informs, and fields nobody knows: kept in the history
               case when f.problem is null
                    then nullif(f.e - '{v,installation,service,process,task,task_run_id,status,detail,result,run_key,external_id,event_id}'::text[], '{}') end as extra
        from formed f
        offset 0
    )
    select array_agg(case when c.reason is null then c.status end), array_agg(case when c.reason is null then c.task_run_id::bigint end),
           array_agg(case when c.reason is null then c.service end), array_agg(case when c.reason is null then c.process end),
           array_agg(case when c.reason is null then c.task end), array_agg(case when c.reason is null then c.run_key end),
           array_agg(case when c.reason is null then c.external_id end), array_agg(case when c.reason is null then c.event_id end),
           array_agg(case when c.reason is null then c.detail end), array_agg(case when c.reason is null then nullif(c.result, 'null') end),
           array_agg(c.extra), coalesce(bool_or(c.extra is not null), false),
           array_agg(c.reason),
           array_agg(case c.reason when 'foreign' then 'the event is of installation ' || left(c.installation, 80) when 'malformed' then c.problem end),
           array_fill(null::bigint, array[v_n]), array_fill(null::text, array[v_n]), array_fill(null::bigint, array[v_n]), array_fill(null::bigint, array[v_n]),
           coalesce(bool_or(c.reason is null and c.task_run_id is null), false),
           coalesce(bool_or(c.reason is null and c.task_run_id is not null), false),
           coalesce(bool_or(c.reason is null and c.event_id is not null), false),
           coalesce(bool_or(c.reason is null and c.external_id is not null), false)
    into e_status, e_id, e_service, e_process, e_task, e_key, e_ext, e_event_id, e_detail, e_result, e_extra, v_any_extra, e_reason, e_words,
         e_target, e_match, e_process_id, e_task_id, v_any_blind, v_any_named, v_any_event_id, v_any_ext
    from checked c;

    v_any_failed := coalesce('FAILED' = any (e_status), false);
    while v_from <= v_n loop
        v_limit := least(v_n, v_from + v_window - 1);
        -- rule 1: the task run named. Its task and home never change: looked up once, and again only while one is unknown
        if v_any_named and (v_from = 1 or 'unknown' = any (e_reason[v_from:v_limit])) then
            select array_agg(case when x.here then t.id else e_target[s.i] end), array_agg(case when x.here then t.task_id else e_task_id[s.i] end),
                   array_agg(case when x.here then k.process_id else e_process_id[s.i] end), array_agg(case when x.here then t.run_key else e_home_key[s.i] end),
                   array_agg(case when x.here then 'task_run_id' else e_match[s.i] end),
                   array_agg(case when not x.here then e_reason[s.i] when t.id is null then 'unknown' when x.differs then 'mismatch' end),
                   array_agg(case when not x.here then e_words[s.i] when t.id is null then format('task run %s does not exist', e_id[s.i])
                                  when x.differs then format('task run %s is of service %s, process %s, task %s', t.id, k.service_name, k.process_uid, k.task_name) end),
                   v_any_late or coalesce(bool_or(t.status = 'FAILED' and e_status[s.i] = 'SUCCESS'), false),
                   v_any_own or coalesce(bool_or(t.own), false)
            into e_target, e_task_id, e_process_id, e_home_key, e_match, e_reason, e_words, v_any_late, v_any_own
            from generate_series(1, v_n) s(i)
            left join lateral (select x.id, x.task_id, x.run_key, x.status, x.graph_run_id is null and x.dispatched_at is null and x.finished_at is null as own
                               from orchestration.task_run x where x.id = e_id[s.i] and s.i between v_from and v_limit offset 0) t on true
            left join lateral (select x.process_id, x.service_name, x.process_uid, x.task_name from orchestration.task_card x where x.task_id = t.task_id offset 0) k on true
            cross join lateral (select s.i between v_from and v_limit and e_id[s.i] is not null as here,
                                       (e_service[s.i] <> k.service_name or e_process[s.i] <> k.process_uid or e_task[s.i] <> k.task_name) is true as differs) x;
        end if;
        -- all locks of the batch first, in the engine's order
        if v_from = 1 and (v_n > 1 or v_any_blind or v_any_own) then
            if exists (select from orchestration.graph_change) then
                select array_agg(distinct x.task_id) into v_tasks
                from (select e_task_id[s.i] as task_id from generate_series(1, v_n) s(i)
                      union all
                      select k.task_id from generate_series(1, v_n) s(i)
                      cross join lateral (select x.task_id from orchestration.task_card x where e_id[s.i] is null and x.service_name = e_service[s.i] and x.process_uid = e_process[s.i] offset 0) k) x;
                perform orchestration._compile_around(v_tasks);
            end if;
            select array_agg(x.graph_id), array_agg(x.run_key) into v_graphs, v_run_keys
            from (select distinct c.graph_id, x.run_key
                  from (select e_task_id[s.i] as task_id, e_home_key[s.i] as run_key from generate_series(1, v_n) s(i) where e_task_id[s.i] is not null
                        union
                        select k.task_id, e_key[s.i] from generate_series(1, v_n) s(i)
                        cross join lateral (select x.task_id from orchestration.task_card x where e_id[s.i] is null and x.service_name = e_service[s.i] and x.process_uid = e_process[s.i] offset 0) k) x
                  cross join lateral (
                      select g.graph_id from orchestration.graph_root g where g.task_id = x.task_id and (g.root_count > 1 or x.run_key is not null)
                      union
                      select a.graph_id from orchestration.awaited_root a where a.task_id = x.task_id) c) x;
            if v_any_late then
                -- what may be corrected
                select v_graphs || array_agg(r.graph_id), v_run_keys || array_agg(r.run_key) into v_graphs, v_run_keys
                from generate_series(1, v_n) s(i)
                cross join lateral (select from orchestration.task_run y where y.id = e_id[s.i] and y.status = 'FAILED' offset 0) t
                cross join lateral (select y.graph_run_id from orchestration.graph_run_task_run y where y.task_run_id = e_id[s.i] offset 0) l
                cross join lateral (select y.graph_id, y.run_key from orchestration.graph_run y where y.id = l.graph_run_id and y.graph_id is not null offset 0) r
                where e_status[s.i] = 'SUCCESS';
            end if;
            if v_graphs is not null then
                perform orchestration._lock_groups(v_graphs, v_run_keys);
                -- one by one: where another bridge had a row, only that row is looked at again
                perform from (select x.id
                              from (select l.graph_run_id as id
                                    from generate_series(1, v_n) s(i)
                                    cross join lateral (select y.graph_run_id from orchestration.graph_run_task_run y where y.task_run_id = e_id[s.i] offset 0) l
                                    union
                                    select a.graph_run_id
                                    from unnest(v_graphs, v_run_keys) p(graph_id, run_key)
                                    cross join lateral (select x.task_id from orchestration.graph_root x where x.graph_id = p.graph_id offset 0) h
                                    cross join lateral (select x.graph_run_id from orchestration.awaited_root x
                                                        where x.task_id = h.task_id and x.graph_id = p.graph_id and x.run_key = coalesce(p.run_key, '') offset 0) a) x
                              order by x.id offset 0) o
                cross join lateral (select from orchestration.graph_run g where g.id = o.id and g.status = 'RUNNING' for no key update offset 0) g;
            end if;
        end if;
        v_to := v_limit;
        if (v_any_blind or v_any_event_id or v_any_own) and v_limit < v_n then
            select m.o_target || e_target[v_limit + 1:], m.o_match || e_match[v_limit + 1:], m.o_process_id || e_process_id[v_limit + 1:],
                   m.o_task_id || e_task_id[v_limit + 1:], m.o_reason || e_reason[v_limit + 1:], m.o_words || e_words[v_limit + 1:], m.o_to
            into e_target, e_match, e_process_id, e_task_id, e_reason, e_words, v_to
            from orchestration._match_events(v_from, e_status[:v_limit], e_id[:v_limit], e_service[:v_limit], e_process[:v_limit], e_task[:v_limit], e_key[:v_limit],
                                             e_ext[:v_limit], e_event_id[:v_limit], e_target[:v_limit], e_match[:v_limit], e_process_id[:v_limit], e_task_id[:v_limit],
                                             e_reason[:v_limit], e_words[:v_limit]) m;
        elsif v_any_blind or v_any_event_id or v_any_own then
            -- rules 2 to 6, event ids, and where the pass must end
            select m.o_target, m.o_match, m.o_process_id, m.o_task_id, m.o_reason, m.o_words, m.o_to
            into e_target, e_match, e_process_id, e_task_id, e_reason, e_words, v_to
            from orchestration._match_events(v_from, e_status, e_id, e_service, e_process, e_task, e_key, e_ext, e_event_id,
                                             e_target, e_match, e_process_id, e_task_id, e_reason, e_words) m;
        elsif exists (select from unnest(e_reason) with ordinality x(reason, i) where x.reason = 'unknown' and x.i > v_from and x.i <= v_limit) then
            -- a task run that is not there may be made by an earlier event of the pass
            select min(x.i) - 1 into v_to from unnest(e_reason) with ordinality x(reason, i) where x.reason = 'unknown' and x.i > v_from;
        end if;

        -- a SUCCESS of what has failed, or fails in this pass
        v_alone := false;
        if v_any_late or v_any_failed or 'external_id' = any (e_match) or 'ended' = any (e_match) then
            select min(x.i) into v_late
            from (select s.i, e_target[s.i] as target, e_status[s.i] as status,
                         bool_or(e_status[s.i] = 'FAILED') over (partition by e_target[s.i] order by s.i rows between unbounded preceding and 1 preceding) as failing
                  from generate_series(v_from, v_to) s(i)
                  where e_target[s.i] is not null and e_reason[s.i] is null) x
            where x.status = 'SUCCESS'
              and (x.failing
                   or exists (select from orchestration.task_run t
                              where t.id = x.target and t.status = 'FAILED'
                                and (t.reason is null
                                     or (t.reason = 'timeout' and (v_any_failed or t.graph_run_id is null or exists (
                                         select from orchestration.graph_run_task_run l
                                         where l.task_run_id = t.id
                                           and exists (select from orchestration.graph_run_task_run y
                                                       where y.graph_run_id = l.graph_run_id and y.task_id = l.task_id and y.attempt > l.attempt offset 0) offset 0))))
                              offset 0));
            if v_late = v_from then
                v_to := v_from;
                if v_any_extra then
                    perform set_config('orchestration.extra', coalesce((case when e_extra[v_from] is not null then jsonb_build_object(e_target[v_from]::text, e_extra[v_from]) end)::text, ''), true);
                end if;
                v_alone := orchestration._apply_late(e_target[v_from], e_match[v_from], e_detail[v_from], e_result[v_from]);
                if v_alone then
                    perform orchestration._record_idle(e_target[v_from:v_to], e_status[v_from:v_to], e_match[v_from:v_to], e_detail[v_from:v_to], e_ext[v_from:v_to], e_target[v_from:v_to]);
                end if;
            else
                v_to := coalesce(v_late - 1, v_to);
            end if;
        end if;

        -- whose external ids these are, the first wins; ids of work a tool started by itself are drawn for that
        v_new := null; v_new_ids := null;
        if v_any_blind then
            select array_agg(s.i), array_agg(nextval('orchestration.task_run_id_seq')) into v_new, v_new_ids
            from generate_series(v_from, v_to) s(i) where e_target[s.i] is null and e_reason[s.i] is null;
        end if;
        if v_any_ext then
            insert into orchestration.external_execution (process_id, external_id, task_run_id)
            select distinct on (x.process_id, x.ext) x.process_id, x.ext, x.target
            from (select e_process_id[s.i] as process_id, e_ext[s.i] as ext, e_target[s.i] as target, s.i
                  from generate_series(v_from, v_to) s(i)
                  where e_ext[s.i] is not null and e_target[s.i] is not null and e_reason[s.i] is null
                  union all
                  select e_process_id[n.i], e_ext[n.i], n.id, n.i from unnest(v_new, v_new_ids) n(i, id) where e_ext[n.i] is not null) x
            order by x.process_id, x.ext, x.i
            on conflict do nothing;
        end if;

        -- events of known task runs, in rounds: one event a task run each; mostly each task run has one event, and one round is all
        select array_agg(e_target[s.i]), array_agg(e_status[s.i]), array_agg(e_match[s.i]), array_agg(e_ext[s.i]), array_agg(e_detail[s.i]), array_agg(e_result[s.i]),
               array_agg(e_key[s.i]), case when count(*) = count(distinct e_target[s.i]) then 1 else 0 end, coalesce(bool_or(e_status[s.i] = 'ACCEPTED'), false)
        into k_target, k_status, k_match, k_ext, k_detail, k_result, k_key, v_rounds, v_accepted
        from generate_series(v_from, v_to) s(i)
        where e_target[s.i] is not null and e_reason[s.i] is null;
        v_round := 1;
        while not v_alone loop
            if v_rounds <> 1 then
                select array_agg(x.target), array_agg(x.status), array_agg(x.match), array_agg(x.ext),
                       array_agg(x.detail), array_agg(x.result), array_agg(x.key), max(x.rounds), coalesce(bool_or(x.status = 'ACCEPTED'), false)
                into k_target, k_status, k_match, k_ext, k_detail, k_result, k_key, v_rounds, v_accepted
                from (select e.*, row_number() over (partition by e.target order by e.o) as round, count(*) over (partition by e.target) as rounds
                      from unnest(e_target[v_from:v_to], e_reason[v_from:v_to], e_status[v_from:v_to], e_match[v_from:v_to], e_ext[v_from:v_to], e_detail[v_from:v_to], e_result[v_from:v_to], e_key[v_from:v_to])
                           with ordinality e(target, reason, status, match, ext, detail, result, key, o)
                      where e.target is not null and e.reason is null
                      order by e.o) x
                where x.round = v_round;
            end if;
            exit when k_target is null;
            if v_any_extra then
                perform set_config('orchestration.extra', coalesce((
                    select jsonb_object_agg(x.target, x.extra)::text
                    from (select e.*, row_number() over (partition by e.target order by e.o) as round
                          from unnest(e_target[v_from:v_to], e_reason[v_from:v_to], e_extra[v_from:v_to]) with ordinality e(target, reason, extra, o)
                          where e.target is not null and e.reason is null) x
                    where x.round = v_round and x.extra is not null), ''), true);
            end if;
            v_hit := orchestration._apply_known(k_target, k_status, k_match, k_ext, k_detail, k_result, k_key);
            if v_accepted or cardinality(v_hit) is distinct from cardinality(k_target) then
                perform orchestration._record_idle(k_target, k_status, k_match, k_detail, k_ext, v_hit);
            end if;
            exit when v_round >= v_rounds;
            v_round := v_round + 1;
        end loop;

        -- work a tool started by itself
        if v_new is not null then
            for n in 1 .. cardinality(v_new) loop
                e_target[v_new[n]] := v_new_ids[n];
            end loop;
            perform from orchestration.task t where t.id in (select e_task_id[x] from unnest(v_new) x) order by t.id for key share;
            if v_any_extra then
                perform set_config('orchestration.extra', coalesce((
                    select jsonb_object_agg(v_new_ids[x.n], e_extra[x.i])::text from unnest(v_new) with ordinality x(i, n) where e_extra[x.i] is not null), ''), true);
            end if;
            insert into orchestration.task_run (id, task_id, run_key, status, external_id, matched_by, detail, result, started_at, finished_at, created_at, updated_at)
            select v_new_ids[x.n], e_task_id[x.i], e_key[x.i], e_status[x.i], e_ext[x.i], 'started', e_detail[x.i], e_result[x.i],
                   case when e_status[x.i] = 'RUNNING' then v_now end, case when e_status[x.i] <> 'RUNNING' then v_now end, v_now, v_now
            from unnest(v_new) with ordinality x(i, n)
            order by x.n;
        end if;
        if v_any_event_id then
            insert into orchestration.event_seen (at, process_id, event_hash, event_id, task_run_id, status)
            select v_now, e_process_id[s.i], hashtextextended(e_event_id[s.i], e_process_id[s.i]), e_event_id[s.i], e_target[s.i], e_status[s.i]
            from generate_series(v_from, v_to) s(i)
            where e_event_id[s.i] is not null and e_reason[s.i] is null;
        end if;
        if exists (select from unnest(e_reason[v_from:v_to]) x where x is not null and x <> 'repeat') then
            insert into orchestration.dead_letter (topic, partition, "offset", key, value, reason, detail, created_at, updated_at)
            select p_topic, p_partitions[x.i], p_offsets[x.i], p_keys[x.i], p_payloads[x.i], e_reason[x.i], e_words[x.i], v_now, v_now
            from generate_series(v_from, v_to) x(i)
            where e_reason[x.i] is not null and e_reason[x.i] <> 'repeat'
            order by x.i;
        end if;
        v_window := case when v_to < v_limit then greatest(64, 4 * (v_to - v_from + 1)) else least(v_n, 4 * v_window) end;
        v_from := v_to + 1;
    end loop;
    if v_any_extra then
        perform set_config('orchestration.extra', '', true);
    end if;
    return array(select case when e.reason is null or e.reason = 'repeat' then e.target end from unnest(e_target, e_reason) with ordinality e(target, reason, i) order by e.i);
end
$$;
comment on function orchestration._apply_events(text, integer[], bigint[], bytea[], bytea[]) is 'Takes in a batch of events.';
