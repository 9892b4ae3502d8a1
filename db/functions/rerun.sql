create or replace function orchestration.rerun(graph_run_id bigint, from_tasks text[] default null) returns bigint
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set orchestration.engine = 'on'
as $$
-- Purpose: a new graph run takes over this one: it does the given tasks, or what failed, and all that is downstream anew under the current
--          version, and shares the rest in whatever state it is. The old run may be open, ended, taken over before, a rerun itself.
-- Parameters: the graph run; from_tasks: names (null or empty: what failed: FAILED and CANCELLED tasks, and what a cancel or the run's
--          time-out kept from starting). Given tasks start at once; of two of which one is downstream of the other it follows in its turn;
--          a root that only reports is awaited.
-- Returns: the new graph run's id.
-- Raises:  OR105 template, OR308 nothing to rerun, OR401 unknown run or task, OR402 graph archived or empty, OR403, OR404 a task not in the run's graph.
-- Locks:   advisory (graph, key), then the graph run.
-- Calls:   _version_now, _start_tasks, _check_ancestors, _open_again, _open_taken_over, _start, _replace.
-- Writes:  graph_run and what follows.
declare
    v_id bigint := rerun.graph_run_id;
    v_old record;
    v_version_id bigint;
    v_new bigint;
    v_from bigint[];
    v_given boolean[];
    v_gone text;
    v_words text;
    v_tasks bigint[];
    v_ready bigint[];
begin
    perform orchestration._require_read_committed();
    perform orchestration._ensure_partitions();
    select r.id, r.graph_id, r.version_id, r.run_key into v_old from orchestration.graph_run r where r.id = v_id;
    if not found then
        perform orchestration._refuse('OR401', format('graph run %s does not exist', coalesce(v_id::text, 'null')), 'Look it up in orchestration.graph_run.');
    end if;
    if v_old.graph_id is not null then
        perform orchestration._compile(array[v_old.graph_id]);
        perform orchestration._lock_groups(array[v_old.graph_id], array[v_old.run_key]);
    end if;
    perform from orchestration.graph_run r where r.id = v_id for no key update;
    if not found then
        perform orchestration._refuse('OR401', format('graph run %s does not exist any more', v_id), 'purge has removed it.');
    end if;
    v_version_id := orchestration._version_now(v_old.version_id);
    if v_version_id is null then
        -- refuses, saying why
        perform orchestration._open_again(v_id, 'rerun', null);
    end if;
    if cardinality(rerun.from_tasks) > 0 then
        v_from := orchestration._start_tasks(v_version_id, rerun.from_tasks);
        with recursive down(task_id) as (
            select s.id from orchestration.graph_version_task v cross join unnest(v.successor_ids) s(id) where v.version_id = v_version_id and v.task_id = any (v_from)
            union
            select s.id from down d
            cross join lateral (select x.successor_ids from orchestration.graph_version_task x where x.version_id = v_version_id and x.task_id = d.task_id offset 0) v
            cross join unnest(v.successor_ids) s(id)
        )
        select array_agg(f.id order by f.id), array_agg(k.dispatch_topic is not null or v.predecessor_count > 0 order by f.id), string_agg(k.task_name, ', ' order by k.task_name)
        into v_from, v_given, v_words
        from unnest(v_from) f(id)
        join orchestration.task_card k on k.task_id = f.id
        join orchestration.graph_version_task v on v.version_id = v_version_id and v.task_id = f.id
        where not exists (select from down d where d.task_id = f.id);
        v_words := 'rerun from task ' || v_words;
    else
        with last as (
            select distinct on (l.task_id) l.task_id, t.status, t.reason
            from orchestration.graph_run_task_run l join orchestration.task_run t on t.id = l.task_run_id
            where l.graph_run_id = v_id
            order by l.task_id, l.attempt desc
        )
        select array_agg(l.task_id order by l.task_id) filter (where v.task_id is not null),
               array_agg(v.predecessor_count = 0 and k.dispatch_topic is not null order by l.task_id) filter (where v.task_id is not null),
               string_agg(k.task_name, ', ' order by k.task_name) filter (where v.task_id is not null and l.status <> 'SKIPPED'),
               string_agg(to_json(k.task_name)::text, ', ' order by k.task_name) filter (where v.task_id is null)
        into v_from, v_given, v_words, v_gone
        from last l
        join orchestration.task_card k on k.task_id = l.task_id
        left join orchestration.graph_version_task v on v.version_id = v_version_id and v.task_id = l.task_id
        where l.status in ('FAILED', 'CANCELLED') or (l.status = 'SKIPPED' and l.reason in ('cancelled', 'timeout'));
        if v_from is null then
            perform orchestration._refuse('OR308', format('graph run %s has nothing to rerun: %s', v_id,
                    coalesce('its graph no longer has task ' || v_gone || ', all that failed in it', 'nothing failed in it')),
                format('Name the tasks to do again: select orchestration.rerun(%s, array[…]).', v_id));
        end if;
        v_words := 'rerun of what failed' || coalesce(': ' || v_words, '');
    end if;
    perform orchestration._check_ancestors(v_version_id, v_from);
    v_new := orchestration._open_again(v_id, 'rerun', orchestration._by_hand(v_words, null));
    select o.ready_tasks into v_ready
    from orchestration._open_taken_over(array_fill(v_new, array[cardinality(v_from)]), array_fill(v_id, array[cardinality(v_from)]), v_from, v_given) o;
    -- roots that the old version did not have start as in a launch
    with fresh as (
        delete from orchestration.awaited_root a using orchestration.task_card k
        where a.graph_run_id = v_new and k.task_id = a.task_id and k.dispatch_topic is not null
          and not exists (select from orchestration.graph_version_task v where v.version_id = v_old.version_id and v.task_id = a.task_id)
        returning a.task_id
    )
    select array_agg(x.id order by x.id) into v_tasks
    from (select f.id from unnest(v_from, v_given) f(id, given) where f.given
          union select f.task_id from fresh f
          union select r.id from unnest(v_ready) r(id)) x;
    if v_tasks is not null then
        perform orchestration._start(array_fill(v_new, array[cardinality(v_tasks)]), v_tasks);
    end if;
    perform orchestration._replace(array[v_id], array[v_new], 'superseded');
    return v_new;
end
$$;
comment on function orchestration.rerun(bigint, text[]) is 'Takes a graph run over from given tasks, or from what failed; answers the new graph run''s id.';
