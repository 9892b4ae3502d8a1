create or replace function orchestration._mark_again(p_task_run_id bigint, p_result jsonb, p_reason text, p_detail text, p_by_event boolean) returns bigint
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set orchestration.engine = 'on'
as $$
-- Purpose: an ended task run counts as SUCCESS after all: every graph run it stands in, and that nothing took over yet, is taken over from its
--          task, which stands there as one new task run SUCCESS; what is downstream is done anew. The new success also crosses into other
--          graphs, as any does.
-- Parameters: the task run FAILED, SKIPPED or CANCELLED; the result to keep (null: what it had reported); reason and words of the new task
--          run; whether an event corrects it (then the new runs are opened by an event where the old were, and an impossible mark answers null).
-- Returns: the graph run that took over (of several the one that takes over the task run's home, else the first).
-- Raises:  by hand: OR307, OR401, OR402, OR403, OR404.
-- Locks:   advisory (graph, key), graph runs in id order, the task run.
-- Calls:   _lock_around, _open_again, _open_taken_over, _settle, _start, _replace, _place.
-- Writes:  graph_run, task_run, graph_run_task_run and what follows.
declare
    v_now timestamptz := orchestration._now();
    v_t record;
    v_card record;
    v_old bigint[];
    v_new bigint[] := '{}'::bigint[];
    v_id bigint;
    v_home bigint;
    v_words text;
    v_opened_by text;
    v_ready_runs bigint[]; v_ready_tasks bigint[];
    v_same bigint[];
begin
    perform orchestration._lock_around(p_task_run_id);
    select t.id, t.task_id, t.graph_run_id, t.run_key, t.status, t.finished_at, t.result into v_t
    from orchestration.task_run t where t.id = p_task_run_id;
    if not found then
        perform orchestration._refuse('OR401', format('task run %s does not exist', coalesce(p_task_run_id::text, 'null')), 'Look it up in orchestration.task_run.');
    end if;
    select k.task_id, k.task_name into v_card from orchestration.task_card k where k.task_id = v_t.task_id;
    if v_t.finished_at is null or v_t.status = 'SUCCESS' then
        perform orchestration._refuse('OR307', format('task run %s of task %s is %s', v_t.id, to_json(v_card.task_name), v_t.status),
            'Only a FAILED, SKIPPED or CANCELLED task run is marked SUCCESS by a take-over.');
    end if;
    select array_agg(r.id order by r.id),
           string_agg(case when r.replaced_by_id is not null then format('graph run %s was taken over by graph run %s', r.id, r.replaced_by_id)
                           else format('task run %s is a later attempt in graph run %s', l.later, r.id) end, ', ' order by r.id)
           filter (where r.replaced_by_id is not null or l.later is not null)
    into v_old, v_words
    from (select x.graph_run_id,
                 (select y.task_run_id from orchestration.graph_run_task_run y
                  where y.graph_run_id = x.graph_run_id and y.task_id = x.task_id and y.attempt > x.attempt order by y.attempt desc limit 1) as later
          from orchestration.graph_run_task_run x where x.task_run_id = v_t.id) l
    join orchestration.graph_run r on r.id = l.graph_run_id;
    if v_old is null then
        perform orchestration._refuse('OR307', format('task run %s of task %s stands in no graph run: there is nothing to take over', v_t.id, to_json(v_card.task_name)),
            'Report a new SUCCESS of the task, or insert a task run with status SUCCESS.');
    end if;
    v_old := array(
        select r.id from orchestration.graph_run_task_run l join orchestration.graph_run r on r.id = l.graph_run_id
        where l.task_run_id = v_t.id and r.replaced_by_id is null
          and not exists (select from orchestration.graph_run_task_run y where y.graph_run_id = l.graph_run_id and y.task_id = l.task_id and y.attempt > l.attempt)
        order by r.id);
    if cardinality(v_old) = 0 then
        perform orchestration._refuse('OR307', format('task run %s of task %s cannot be marked SUCCESS: %s', v_t.id, to_json(v_card.task_name), v_words),
            'Mark the task run that stands for the task there.');
    end if;
    for v_id, v_opened_by in
        select r.id, case when p_by_event and r.opened_by in ('event', 'partial') then r.opened_by else 'rerun' end
        from orchestration.graph_run r where r.id = any (v_old) order by r.id
    loop
        v_new := v_new || orchestration._open_again(v_id, v_opened_by, format('from task %s, task run %s: %s', v_card.task_name, v_t.id, p_detail));
    end loop;
    select to_json(g.name)::text into v_words
    from unnest(v_new) n(id)
    join orchestration.graph_run r on r.id = n.id
    left join orchestration.graph g on g.id = r.graph_id
    where not exists (select from orchestration.graph_version_task v where v.version_id = r.version_id and v.task_id = v_t.task_id)
    limit 1;
    if found then
        perform orchestration._refuse('OR404', format('task %s is no longer in graph %s', to_json(v_card.task_name), v_words), 'Rerun the graph run from other tasks, or launch the graph.');
    end if;
    -- the new success stands in all of them; its home takes over the old one's
    v_same := array_fill(v_t.task_id, array[cardinality(v_new)]);
    v_home := coalesce((select n.id from unnest(v_old, v_new) n(old_id, id) where n.old_id = v_t.graph_run_id), v_new[1]);
    select o.ready_runs, o.ready_tasks into v_ready_runs, v_ready_tasks from orchestration._open_taken_over(v_new, v_old, v_same) o;
    insert into orchestration.task_run (task_id, graph_run_id, run_key, status, reason, detail, result, shared, finished_at, created_at, updated_at)
    values (v_t.task_id, v_home, v_t.run_key, 'SUCCESS', p_reason, p_detail, coalesce(p_result, v_t.result), cardinality(v_new) > 1, v_now, v_now, v_now)
    returning id into v_id;
    insert into orchestration.graph_run_task_run (graph_run_id, task_run_id, task_id)
    select n.id, v_id, v_t.task_id from unnest(v_new) n(id) where n.id <> v_home;
    perform orchestration._settle(v_new, v_same, array_fill('SUCCESS'::text, array[cardinality(v_new)]));
    perform orchestration._start(v_ready_runs, v_ready_tasks);
    perform orchestration._replace(v_old, v_new, case when p_by_event then 'coalesced' else 'superseded' end);
    perform orchestration._place(array[v_id]);
    return v_home;
exception when others then
    if p_by_event and sqlstate like 'OR%' then
        return null;
    end if;
    raise;
end
$$;
comment on function orchestration._mark_again(bigint, jsonb, text, text, boolean) is 'Marks an ended task run SUCCESS by taking over the graph runs it stands in.';
