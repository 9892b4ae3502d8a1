create or replace function orchestration.tg_task_run__stamp() returns trigger
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a status changed by a plain UPDATE (the engine stamps its own): set the times, the reason `marked`, and remember that the tool
--          may still be at it. DISPATCHED sends at once what waits for its retry; what a pause holds stays; where a placeholder of its config
--          template finds nothing it is FAILED instead.
-- Raises: OR204, OR408.
-- Calls:  _render.
declare
    v_now timestamptz := orchestration._now();
    v_task record;
    v_rendered record;
begin
    perform orchestration._ensure_partitions();
    new.previous_status := old.status;
    new.updated_at := v_now;
    if new.status = 'DISPATCHED' then
        select t.config_template, k.templated, t.timeout, t.ack_timeout, coalesce(t.ack_timeout, case when k.echoes_ids then interval '5 minutes' end) as patience, k.dispatch_topic, g.name as paused
        into v_task
        from orchestration.task t
        join orchestration.task_card k on k.task_id = t.id
        left join orchestration.graph_run r on r.id = new.graph_run_id
        left join orchestration.graph g on g.id = r.graph_id and g.paused
        where t.id = new.task_id;
        if v_task.dispatch_topic is null then
            perform orchestration._refuse('OR204', format('nothing can be sent to the task of task run %s: its service has no dispatch topic', new.id), 'Give the service a dispatch_topic.');
        end if;
        if v_task.paused is not null then
            perform orchestration._refuse('OR408', format('task run %s is held: graph %s is paused', new.id, to_json(v_task.paused)), 'Resume the graph: select orchestration.resume_graph(…).');
        end if;
        if v_task.templated and new.config is null then
            select x.config, x.problem into v_rendered from orchestration._render(array[new.graph_run_id], array[new.task_id], array[new.attempt], array[new.run_key]) x;
            if v_rendered.problem is not null then
                new.status := 'FAILED';
                new.reason := 'config';
                new.detail := v_rendered.problem;
                new.finished_at := v_now;
                return new;
            end if;
            new.config := v_rendered.config;
        end if;
        new.dispatched_at := v_now;
        new.config := coalesce(new.config, v_task.config_template);
        new.timeout := v_task.timeout;
        new.ack_timeout := v_task.ack_timeout;
        new.due_at := v_now + least(v_task.patience, v_task.timeout);
        new.detail := case when new.detail is distinct from old.detail then new.detail end;
    elsif new.status = 'RUNNING' then
        new.started_at := coalesce(new.started_at, v_now);
    else
        new.finished_at := coalesce(new.finished_at, v_now);
        new.awaits_tool := old.status in ('DISPATCHED', 'RUNNING');
        if new.reason is not distinct from old.reason then
            new.reason := case when new.status = 'CANCELLED' then 'cancelled' else 'marked' end;
        end if;
        new.matched_by := null;
    end if;
    return new;
end
$$;
comment on function orchestration.tg_task_run__stamp() is 'Stamps a status changed by plain SQL.';
create or replace trigger _200_stamp before update on orchestration.task_run for each row
    when (old.status is distinct from new.status and (coalesce(current_setting('orchestration.engine', true), '') <> 'on' or current_user <> 'orchestration_owner'))
    execute function orchestration.tg_task_run__stamp();
