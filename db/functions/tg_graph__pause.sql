create or replace function orchestration.tg_graph__pause() returns trigger
language plpgsql security definer
set search_path = ''
set jit = off
set orchestration.engine = 'on'
as $$
-- Purpose: graph.paused changed, by whomever. Pausing notes since when and by whom: from then on what is ready in the graph's runs is born
--          QUEUED, and retries and resends wait. Resuming sends what was held, the oldest graph run first, and gives retries the time back
--          that they waited in vain; with the setting orchestration.skip (resume_graph) it cancels both instead.
--          Held is what has its home in a run of the graph; another graph that shares it waits too. What was held in a pause is found even
--          where its transaction ended late: _paused_graphs keeps the row of the pause, and the resume waits for that.
-- Raises:  OR206.
-- Locks:   the graph (by the statement), its pause, then graph_run rows in id order, then task_run rows.
-- Calls:   _dispatch, _retry_delay, _stood_still.
-- Writes:  graph_pause, task_run, dispatch.
declare
    v_now timestamptz := orchestration._now();
    v_actor text := nullif(current_setting('orchestration.actor', true), '');
    v_skip boolean := coalesce(current_setting('orchestration.skip', true), '') = 'on';
    v_ids bigint[];
    v_sorted bigint[];
begin
    perform orchestration._require_read_committed();
    perform orchestration._ensure_partitions();
    if new.paused then
        insert into orchestration.graph_pause (graph_id, paused_at, paused_actor) values (new.id, v_now, v_actor);
        return null;
    end if;
    update orchestration.graph_pause p
    set resumed_at = v_now, resumed_by = session_user, resumed_actor = v_actor, skipped = v_skip
    where p.graph_id = new.id and p.resumed_at is null;
    v_ids := array(
        select t.id
        from orchestration.task_run t
        cross join lateral (select x.graph_id from orchestration.graph_run x where x.id = t.graph_run_id offset 0) r
        where t.status = 'QUEUED' and r.graph_id = new.id
        order by t.graph_run_id, t.id);
    perform from orchestration.graph_run r
    where r.id = any (array(select l.graph_run_id from orchestration.graph_run_task_run l where l.task_run_id = any (v_ids)))
    order by r.id for no key update;
    if v_skip then
        update orchestration.task_run t
        set previous_status = t.status, status = 'CANCELLED', reason = 'cancelled', detail = orchestration._by_hand('skipped at the resume of the graph', null),
            finished_at = v_now, updated_at = v_now
        where t.id = any (v_ids) and t.status is not distinct from 'QUEUED';
        return null;
    end if;
    -- a retry's clock stood still as well: its delay, and all pauses since the failure
    update orchestration.task_run t
    set due_at = t.created_at + orchestration._retry_delay((select k.retry_delay from orchestration.task k where k.id = t.task_id), t.attempt - 1)
                 + orchestration._stood_still(new.id, t.created_at, v_now),
        updated_at = v_now
    where t.id = any (v_ids) and t.status is not distinct from 'QUEUED' and t.retry_of_id is not null;
    v_ids := array(
        select i.id
        from unnest(v_ids) with ordinality i(id, n)
        join orchestration.task_run t on t.id = i.id and t.status is not distinct from 'QUEUED' and (t.retry_of_id is null or t.due_at <= v_now)
        order by i.n);
    if orchestration._dispatch(v_ids) > 0 then
        -- the outbox goes by id: what goes first takes the first of these ids for its place
        v_sorted := array(select i.id from unnest(v_ids) i(id) order by i.id);
        update orchestration.dispatch d
        set send_order = o.place
        from unnest(v_ids, v_sorted) o(id, place)
        where d.task_run_id = o.id and o.place <> o.id;
    end if;
    return null;
end
$$;
comment on function orchestration.tg_graph__pause() is 'Effects of pausing and resuming a graph.';
create or replace trigger _500_pause after update on orchestration.graph for each row
    when (old.paused is distinct from new.paused) execute function orchestration.tg_graph__pause();
create or replace trigger _500_pause_new after insert on orchestration.graph for each row
    when (new.paused) execute function orchestration.tg_graph__pause();
