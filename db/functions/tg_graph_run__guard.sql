create or replace function orchestration.tg_graph_run__guard() returns trigger
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a graph run changed by plain SQL: its status may only become CANCELLED, which cancels it; what pins it never changes.
-- Raises: OR301, OR302.
begin
    if (new.id, new.graph_id, new.version_id, new.run_key, new.open_count, new.replaces_id, new.replaced_by_id, new.opened_by, new.has_failed, new.has_cancelled, new.has_filled)
       is distinct from (old.id, old.graph_id, old.version_id, old.run_key, old.open_count, old.replaces_id, old.replaced_by_id, old.opened_by, old.has_failed, old.has_cancelled, old.has_filled) then
        perform orchestration._refuse('OR302', format('graph, version, run key and counters of graph run %s are kept by the engine', old.id), 'Cancel the run, or launch another.');
    end if;
    if new.status is distinct from old.status then
        if old.status <> 'RUNNING' or new.status is distinct from 'CANCELLED' then
            perform orchestration._refuse('OR301', format('graph run %s is %s and cannot be set to %s', old.id, old.status, coalesce(new.status, 'null')),
                'A RUNNING graph run can be set to CANCELLED; every other end follows from its task runs.');
        end if;
        perform orchestration._ensure_partitions();
        perform orchestration._cancel_runs(array[old.id], 'cancelled', orchestration._by_hand('cancelled',
            coalesce(case when new.reason is distinct from old.reason then new.reason end, case when new.detail is distinct from old.detail then new.detail end)));
        return null;
    end if;
    return new;
end
$$;
comment on function orchestration.tg_graph_run__guard() is 'Plain SQL on a graph run: CANCELLED cancels it, nothing else changes.';
create or replace trigger _100_guard before update on orchestration.graph_run for each row
    when (coalesce(current_setting('orchestration.engine', true), '') <> 'on' or current_user <> 'orchestration_owner')
    execute function orchestration.tg_graph_run__guard();
