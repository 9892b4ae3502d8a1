create or replace function orchestration._open_again(p_run_id bigint, p_opened_by text, p_detail text) returns bigint
language plpgsql
set search_path = ''
set orchestration.engine = 'on'
as $$
-- Purpose: the row of a run that will take over run p_run_id by hand or by a correction: the same graph, key and params, the current version
--          of the same kind (a partial run stays one, with the same successes for what lies outside). Nothing is linked yet: the caller goes on
--          with _open_taken_over and _replace.
-- Parameters: the old run, locked by the caller; opened_by; words for the run and its history.
-- Returns: the new run's id.
-- Raises:  OR402 archived or empty, OR403 a predecessor outside never succeeded, OR404 nothing of a partial run is left.
-- Calls:   _version_now, _stand_in.
-- Writes:  graph_run, stand_in.
declare
    v_old record;
    v_version_id bigint;
    v_version record;
    v_id bigint;
begin
    select r.id, r.graph_id, r.version_id, r.run_key, r.params, g.name, g.archived into v_old
    from orchestration.graph_run r left join orchestration.graph g on g.id = r.graph_id
    where r.id = p_run_id;
    if v_old.archived then
        perform orchestration._refuse('OR402', format('graph %s of graph run %s is archived', to_json(v_old.name), v_old.id), 'Set archived = false on the graph first.');
    end if;
    -- in a statement of its own: the next one's snapshot must see the version it may have made
    v_version_id := orchestration._version_now(v_old.version_id);
    select v.id, v.task_count into v_version from orchestration.graph_version v where v.id = v_version_id;
    if not found then
        if exists (select from orchestration.graph_version v where v.id = v_old.version_id and v.from_task_ids is not null)
           and exists (select from orchestration.graph_head h join orchestration.graph_version v on v.id = h.version_id and v.task_count > 0 where h.graph_id = v_old.graph_id) then
            perform orchestration._refuse('OR404', format('graph %s no longer has the tasks that graph run %s started from', to_json(v_old.name), v_old.id), 'Launch the graph, or other tasks of it.');
        end if;
        perform orchestration._refuse('OR402', format('graph %s has no tasks', to_json(v_old.name)), 'Add chains to it through graph_chain.');
    end if;
    v_id := nextval('orchestration.graph_run_id_seq');
    -- a partial run: what counts for the tasks outside, as in the old run
    insert into orchestration.stand_in (graph_run_id, task_id, task_run_id)
    select v_id, s.task_id, s.task_run_id from orchestration.stand_in s
    where s.graph_run_id = p_run_id and not exists (select from orchestration.graph_version_task t where t.version_id = v_version.id and t.task_id = s.task_id);
    perform orchestration._stand_in(v_id, v_version.id, v_old.run_key);
    insert into orchestration.graph_run (id, graph_id, version_id, run_key, params, open_count, opened_by, replaces_id, has_filled, detail, created_at, updated_at)
    values (v_id, v_old.graph_id, v_version.id, v_old.run_key, v_old.params, v_version.task_count, p_opened_by, v_old.id, true, p_detail, orchestration._now(), orchestration._now());
    return v_id;
end
$$;
comment on function orchestration._open_again(bigint, text, text) is 'The row of a run that takes over another by hand or by a correction.';
