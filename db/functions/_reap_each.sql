create or replace function orchestration._reap_each(p_what text, p_ids bigint[], out done integer, out problem text)
language plpgsql
set search_path = ''
as $$
-- Purpose: act on all together, or, where that fails, on each alone, so that one that cannot be dealt with holds up nothing: it is looked at
--          again a minute later. A lock that is not to be had is no fault of theirs: it goes to the caller, who tries anew.
-- Returns: how many were dealt with; the last error.
-- Calls:   _reap_act.
-- Writes:  task_run.due_at, watched_run.due_at.
declare
    v_id bigint;
begin
    done := 0;
    if cardinality(p_ids) is null or cardinality(p_ids) = 0 then
        return;
    end if;
    begin
        done := orchestration._reap_act(p_what, p_ids);
        return;
    exception
        when deadlock_detected or lock_not_available or query_canceled or serialization_failure then
            raise;
        when others then
            null;
    end;
    foreach v_id in array p_ids loop
        begin
            done := done + orchestration._reap_act(p_what, array[v_id]);
        exception
            when deadlock_detected or lock_not_available or query_canceled or serialization_failure then
                raise;
            when others then
                problem := format('%s of %s: %s %s', p_what, v_id, sqlstate, sqlerrm);
                raise warning 'reaper: %', problem;
                if p_what = 'run_timeout' then
                    update orchestration.watched_run w set due_at = greatest(w.due_at, orchestration._now()) + interval '1 minute' where w.graph_run_id = v_id;
                else
                    update orchestration.task_run t set due_at = greatest(t.due_at, orchestration._now()) + interval '1 minute' where t.id = v_id;
                end if;
        end;
    end loop;
end
$$;
comment on function orchestration._reap_each(text, bigint[]) is 'Acts on all together, or on each alone where that fails.';
