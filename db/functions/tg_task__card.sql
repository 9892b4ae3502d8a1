create or replace function orchestration.tg_task__card() returns trigger
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: keep task_card, the one row that dispatch and resolution read, in step with task, process and service; and check again that
--          what stands behind a chain can be sent to, and tell the graphs concerned that their shape may have changed (archived).
-- Raises: OR204.
declare
    v_task_ids bigint[];
    v_bad record;
begin
    case tg_table_name
    when 'task' then
        select array_agg(n.id) into v_task_ids from changed n;
    when 'process' then
        select array_agg(t.id) into v_task_ids from changed n join orchestration.task t on t.process_id = n.id;
    when 'service' then
        select array_agg(t.id) into v_task_ids from changed n join orchestration.process p on p.service_id = n.id join orchestration.task t on t.process_id = p.id;
    end case;
    if v_task_ids is null then
        return null;
    end if;
    insert into orchestration.task_card as c
        (task_id, task_name, process_id, process_uid, service_id, service_name, dispatch_topic, echoes_ids, archived, templated, address)
    select t.id, t.name, p.id, p.uid, s.id, s.name, s.dispatch_topic, s.echoes_ids, t.archived or p.archived or s.archived,
           exists (select from orchestration.task_placeholder h where h.task_id = t.id),
           '"service":' || to_json(s.name) || ',"process":' || to_json(p.uid) || ',"task":' || to_json(t.name)
    from orchestration.task t
    join orchestration.process p on p.id = t.process_id
    join orchestration.service s on s.id = p.service_id
    where t.id = any (v_task_ids)
    on conflict (task_id) do update set
        task_name = excluded.task_name, process_id = excluded.process_id, process_uid = excluded.process_uid, service_id = excluded.service_id,
        service_name = excluded.service_name, dispatch_topic = excluded.dispatch_topic, echoes_ids = excluded.echoes_ids,
        archived = excluded.archived, templated = excluded.templated, address = excluded.address;
    if tg_op = 'UPDATE' then
        select c.id, k.task_name, k.service_name into v_bad
        from orchestration.chain c join orchestration.task_card k on k.task_id = c.next_task_id
        where c.next_task_id = any (v_task_ids) and k.dispatch_topic is null
        limit 1;
        if found then
            perform orchestration._refuse('OR204', format('task %s is the next task of chain %s, and service %s has no dispatch topic', to_json(v_bad.task_name), v_bad.id, to_json(v_bad.service_name)),
                'Give the service a dispatch_topic, or delete the chain first.');
        end if;
        insert into orchestration.graph_change (graph_id)
        select distinct gc.graph_id
        from orchestration.chain c join orchestration.graph_chain gc on gc.chain_id = c.id
        where c.previous_task_id = any (v_task_ids) or c.next_task_id = any (v_task_ids);
    end if;
    return null;
end
$$;
comment on function orchestration.tg_task__card() is 'Keeps task_card; checks dispatchability again.';
create or replace trigger _500_card after insert on orchestration.task referencing new table as changed for each statement execute function orchestration.tg_task__card();
create or replace trigger _500_card_update after update on orchestration.task referencing new table as changed for each statement execute function orchestration.tg_task__card();
create or replace trigger _500_card after update on orchestration.process referencing new table as changed for each statement execute function orchestration.tg_task__card();
create or replace trigger _500_card after update on orchestration.service referencing new table as changed for each statement execute function orchestration.tg_task__card();
