create or replace function orchestration.tg_graph_run__prepare() returns trigger
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a graph run inserted by plain SQL is a launch by hand: check it, pin it to the current version. Raises: OR101, OR108, OR303, OR401, OR402.
declare
    v_graph record;
begin
    perform orchestration._require_read_committed();
    perform orchestration._ensure_partitions();
    select g.id, g.name, g.archived into v_graph from orchestration.graph g where g.id = new.graph_id for key share;
    if not found then
        perform orchestration._refuse('OR401', format('graph %s does not exist', coalesce(new.graph_id::text, 'null')), 'List the graphs: select id, name from orchestration.graph.');
    end if;
    if v_graph.archived then
        perform orchestration._refuse('OR402', format('graph %s is archived', to_json(v_graph.name)), 'Set archived = false on the graph first.');
    end if;
    if new.run_key is not null then
        perform orchestration._check_name('run key', new.run_key);
    end if;
    if jsonb_typeof(new.params) is distinct from 'object' then
        perform orchestration._refuse('OR108', format('params of a run of graph %s are not a JSON object', to_json(v_graph.name)), 'Pass an object such as {"limit": 10}.');
    end if;
    if new.status is distinct from 'RUNNING' or new.finished_at is not null or new.version_id is not null or new.open_count <> 0 or new.replaces_id is not null
       or new.replaced_by_id is not null or new.opened_by <> 'launch' then
        perform orchestration._refuse('OR303', format('a run of graph %s is inserted with more than graph_id, run_key and params', to_json(v_graph.name)),
            'The other columns are kept by the engine.');
    end if;
    perform orchestration._compile(array[new.graph_id]);
    select h.version_id, v.task_count into new.version_id, new.open_count
    from orchestration.graph_head h join orchestration.graph_version v on v.id = h.version_id where h.graph_id = new.graph_id;
    if coalesce(new.open_count, 0) = 0 then
        perform orchestration._refuse('OR402', format('graph %s has no tasks', to_json(v_graph.name)), 'Add chains to it through graph_chain.');
    end if;
    new.created_at := orchestration._now();
    new.updated_at := new.created_at;
    return new;
end
$$;
comment on function orchestration.tg_graph_run__prepare() is 'Checks and completes a graph run inserted by plain SQL.';
create or replace trigger _100_prepare before insert on orchestration.graph_run for each row
    when (coalesce(current_setting('orchestration.engine', true), '') <> 'on' or current_user <> 'orchestration_owner')
    execute function orchestration.tg_graph_run__prepare();
