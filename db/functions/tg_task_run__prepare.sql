create or replace function orchestration.tg_task_run__prepare() returns trigger
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a task run inserted by plain SQL: QUEUED runs the task alone, RUNNING or an end is work a tool did by itself.
-- Raises: OR101, OR105, OR107, OR108, OR204, OR303, OR402.
declare
    v_now timestamptz := orchestration._now();
    v_card record;
    v_gap text;
begin
    perform orchestration._ensure_partitions();
    select k.task_name, k.dispatch_topic, k.service_name, k.archived into v_card from orchestration.task_card k where k.task_id = new.task_id;
    if not found then
        perform orchestration._refuse('OR107', format('task run names task %s, which does not exist', coalesce(new.task_id::text, 'null')), 'Create the task first.');
    end if;
    perform from orchestration.task t where t.id = new.task_id for key share;
    if v_card.archived then
        perform orchestration._refuse('OR402', format('task %s is archived', to_json(v_card.task_name)), 'Set archived = false on the task (its process, its service) first.');
    end if;
    if new.run_key is not null then
        perform orchestration._check_name('run key', new.run_key);
    end if;
    if new.graph_run_id is not null or new.attempt <> 1 or new.shared or new.dispatched_at is not null or new.due_at is not null or new.timeout is not null or new.ack_timeout is not null
       or new.retry_of_id is not null then
        perform orchestration._refuse('OR303', format('graph_run_id, attempt, retry_of_id, shared, timeout, ack_timeout, due_at and dispatched_at of a task run of task %s are kept by the engine', to_json(v_card.task_name)),
            'Insert task_id, run_key, status and result only; link it to an open graph run through graph_run_task_run.');
    end if;
    if new.status is null or new.status not in ('QUEUED', 'RUNNING', 'SUCCESS', 'FAILED', 'SKIPPED', 'CANCELLED') then
        perform orchestration._refuse(case when new.status = 'DISPATCHED' then 'OR303' else 'OR108' end,
            format('a task run of task %s cannot be inserted with status %s', to_json(v_card.task_name), coalesce(to_json(new.status)::text, 'null')),
            'Insert QUEUED to run it, RUNNING or an end to report it.');
    end if;
    if new.status = 'QUEUED' and v_card.dispatch_topic is null then
        perform orchestration._refuse('OR204', format('nothing can be sent to task %s: service %s has no dispatch topic', to_json(v_card.task_name), to_json(v_card.service_name)),
            'Give the service a dispatch_topic, or insert the task run with the status it reached.');
    end if;
    if new.status = 'QUEUED' and new.config is null and exists (select from orchestration.task_placeholder h where h.task_id = new.task_id and h.upstream <> '{}') then
        perform orchestration._refuse('OR105', format('the config template of task %s reads task %s, and alone, in no graph, nothing comes before it', to_json(v_card.task_name),
            (select to_json(h.upstream[1]) from orchestration.task_placeholder h where h.task_id = new.task_id and h.upstream <> '{}' order by h.n limit 1)),
            'Give the config with the task run, or launch the task in its graph.');
    end if;
    if new.external_id is not null then
        perform orchestration._check_name('external_id', new.external_id);
    end if;
    if jsonb_typeof(new.result) <> 'object' or octet_length(new.result::text) > 262144 then
        perform orchestration._refuse('OR304', format('result of a task run of task %s is no JSON object of at most 256 KiB', to_json(v_card.task_name)), 'Put bulk data elsewhere and pass a reference.');
    end if;
    if new.status not in ('QUEUED', 'CANCELLED') then
        perform orchestration._compile_around(array[new.task_id]);
        if exists (select from orchestration.chain c join orchestration.graph_chain gc on gc.chain_id = c.id
                   join orchestration.graph g on g.id = gc.graph_id and not g.archived where new.task_id in (c.previous_task_id, c.next_task_id))
           and not exists (select from orchestration.graph_root r where r.task_id = new.task_id)
           and not exists (select from orchestration.awaited_root a where a.task_id = new.task_id and a.run_key = coalesce(new.run_key, '')) then
            if new.external_id is not null
               and not exists (select from orchestration.external_execution x join orchestration.task_card k on k.process_id = x.process_id
                               where k.task_id = new.task_id and x.external_id = new.external_id) then
                v_gap := orchestration._partial_gap(new.task_id, new.run_key);
                if v_gap is not null then
                    perform orchestration._refuse('OR403', format('a partial run from task %s cannot be opened: %s', to_json(v_card.task_name), v_gap), 'Run that first.');
                end if;
            else
                perform orchestration._refuse('OR303', format('task %s is a root of no graph: nothing awaits a run of it', to_json(v_card.task_name)),
                'Give an external_id of the tool that no other execution bears to open a partial run from it, or update the task run that is in flight.');
            end if;
        end if;
    end if;
    new.created_at := v_now;
    new.updated_at := v_now;
    new.matched_by := 'started';
    if new.status in ('RUNNING') then
        new.started_at := coalesce(new.started_at, v_now);
    elsif new.status <> 'QUEUED' then
        new.finished_at := coalesce(new.finished_at, v_now);
    end if;
    return new;
end
$$;
comment on function orchestration.tg_task_run__prepare() is 'Checks and completes a task run inserted by plain SQL.';
create or replace trigger _100_prepare before insert on orchestration.task_run for each row
    when (coalesce(current_setting('orchestration.engine', true), '') <> 'on' or current_user <> 'orchestration_owner')
    execute function orchestration.tg_task_run__prepare();
