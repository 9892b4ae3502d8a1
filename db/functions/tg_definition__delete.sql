create or replace function orchestration.tg_definition__delete() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
as $$
-- Purpose: what live runs, history or other definitions use is not deleted; archived hides it instead. Raises: OR103.
declare
    v_user text;
begin
    case tg_table_name
    when 'service' then
        select format('process %s', to_json(p.uid)) into v_user from orchestration.process p where p.service_id = old.id limit 1;
    when 'process' then
        select format('task %s', to_json(t.name)) into v_user from orchestration.task t where t.process_id = old.id limit 1;
    when 'task' then
        select format('chain %s', c.id) into v_user from orchestration.chain c where old.id in (c.previous_task_id, c.next_task_id) limit 1;
        if v_user is null then
            select format('task run %s', t.id) into v_user from orchestration.task_run t where t.task_id = old.id limit 1;
        end if;
        if v_user is null then
            select format('graph run %s', r.id) into v_user
            from orchestration.graph_version_task v join orchestration.graph_run r on r.version_id = v.version_id
            where v.task_id = old.id limit 1;
        end if;
    when 'chain' then
        select format('graph %s', to_json(g.name)) into v_user from orchestration.graph_chain gc join orchestration.graph g on g.id = gc.graph_id where gc.chain_id = old.id limit 1;
    when 'graph' then
        select format('chain %s', gc.chain_id) into v_user from orchestration.graph_chain gc where gc.graph_id = old.id limit 1;
        if v_user is null then
            select format('graph run %s', r.id) into v_user from orchestration.graph_run r where r.graph_id = old.id limit 1;
        end if;
    end case;
    if v_user is not null then
        perform orchestration._refuse('OR103', format('%s %s is used by %s', tg_table_name, old.id, v_user),
            case when tg_table_name = 'chain' then 'Take it out of the graph first: delete from orchestration.graph_chain.'
                 else 'Delete that first, or set archived = true to hide it and take it out of resolution.' end);
    end if;
    if tg_table_name = 'graph' then
        delete from orchestration.graph_pause p where p.graph_id = old.id;
        delete from orchestration.graph_head h where h.graph_id = old.id;
        delete from orchestration.graph_root r where r.graph_id = old.id;
        delete from orchestration.graph_change c where c.graph_id = old.id;
        delete from orchestration.graph_version_task t using orchestration.graph_version v where v.graph_id = old.id and t.version_id = v.id;
        delete from orchestration.graph_version v where v.graph_id = old.id;
    end if;
    return old;
end
$$;
comment on function orchestration.tg_definition__delete() is 'What is in use is not deleted.';
create or replace trigger _100_delete before delete on orchestration.service for each row execute function orchestration.tg_definition__delete();
create or replace trigger _100_delete before delete on orchestration.process for each row execute function orchestration.tg_definition__delete();
create or replace trigger _100_delete before delete on orchestration.task for each row execute function orchestration.tg_definition__delete();
create or replace trigger _100_delete before delete on orchestration.chain for each row execute function orchestration.tg_definition__delete();
create or replace trigger _100_delete before delete on orchestration.graph for each row execute function orchestration.tg_definition__delete();
