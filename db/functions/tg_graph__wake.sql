create or replace function orchestration.tg_graph__wake() returns trigger
language plpgsql security definer
set search_path = ''
set orchestration.engine = 'on'
as $$
-- Purpose: a graph's clocks go on, or its time-out changed: the reaper looks at its runs, and at what its pause made it put aside, at once.
-- Writes:  watched_run, task_run.due_at.
declare
    v_now timestamptz := orchestration._now();
begin
    update orchestration.watched_run w set due_at = least(w.due_at, v_now) where w.graph_id = new.id;
    if old.paused and not new.paused then
        update orchestration.task_run t set due_at = v_now
        where t.id in (select x.id from orchestration.task_run x
                       where x.due_at = 'infinity' and x.status in ('DISPATCHED', 'RUNNING')
                         and (select r.graph_id from orchestration.graph_run r where r.id = x.graph_run_id) = new.id
                       order by x.id for no key update);
    end if;
    return null;
end
$$;
comment on function orchestration.tg_graph__wake() is 'The reaper looks at a graph''s runs anew after a resume or a new time-out.';
create or replace trigger _600_wake after update on orchestration.graph for each row
    when (old.timeout is distinct from new.timeout or (old.paused and not new.paused)) execute function orchestration.tg_graph__wake();
