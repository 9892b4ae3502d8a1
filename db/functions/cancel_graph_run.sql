create or replace function orchestration.cancel_graph_run(id bigint, reason text default null) returns void
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: end a graph run at once: what it had not started is SKIPPED, what is in flight CANCELLED unless another open run shares it; unsent
--          dispatches are withdrawn; the tool is not told.
-- Parameters: the graph run; why, in words (kept with who).
-- Raises:  OR307 it has ended, OR401 unknown.
-- Locks:   the graph run.
-- Calls:   _cancel_runs.
declare
    v_status text;
begin
    perform orchestration._require_read_committed();
    perform orchestration._ensure_partitions();
    select r.status into v_status from orchestration.graph_run r where r.id = cancel_graph_run.id for no key update;
    if not found then
        perform orchestration._refuse('OR401', format('graph run %s does not exist', coalesce(cancel_graph_run.id::text, 'null')), 'Look it up in orchestration.graph_run.');
    end if;
    if v_status <> 'RUNNING' then
        perform orchestration._refuse('OR307', format('graph run %s has ended %s', cancel_graph_run.id, v_status), 'Only a RUNNING graph run can be cancelled.');
    end if;
    perform orchestration._cancel_runs(array[cancel_graph_run.id], 'cancelled', orchestration._by_hand('cancelled', cancel_graph_run.reason));
end
$$;
comment on function orchestration.cancel_graph_run(bigint, text) is 'Ends a graph run at once.';
