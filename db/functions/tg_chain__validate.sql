create or replace function orchestration.tg_chain__validate() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
as $$
-- Purpose: chain rules that need one row: ends exist and differ, the pair is new, the next task can be sent to. Raises: OR107, OR201, OR202, OR204.
declare
    v_next record;
begin
    if new.previous_task_id = new.next_task_id then
        perform orchestration._refuse('OR201', format('chain from task %s to itself', new.next_task_id), 'A chain joins two different tasks.');
    end if;
    if not exists (select from orchestration.task t where t.id = new.previous_task_id) then
        perform orchestration._refuse('OR107', format('chain names previous task %s, which does not exist', coalesce(new.previous_task_id::text, 'null')), 'Create the task first.');
    end if;
    select k.task_name, k.service_name, k.dispatch_topic into v_next from orchestration.task_card k where k.task_id = new.next_task_id;
    if not found then
        perform orchestration._refuse('OR107', format('chain names next task %s, which does not exist', coalesce(new.next_task_id::text, 'null')), 'Create the task first.');
    end if;
    if v_next.dispatch_topic is null then
        perform orchestration._refuse('OR204', format('nothing can be sent to task %s: service %s has no dispatch topic', to_json(v_next.task_name), to_json(v_next.service_name)),
            'Give the service a dispatch_topic, or chain to a task of another service.');
    end if;
    if exists (select from orchestration.chain c where c.previous_task_id = new.previous_task_id and c.next_task_id = new.next_task_id and c.id <> new.id) then
        perform orchestration._refuse('OR202', format('chain %s -> %s exists', new.previous_task_id, new.next_task_id), 'Use the existing chain.');
    end if;
    return new;
end
$$;
comment on function orchestration.tg_chain__validate() is 'Rules of one chain.';
create or replace trigger _100_validate before insert or update of previous_task_id, next_task_id on orchestration.chain
    for each row execute function orchestration.tg_chain__validate();
