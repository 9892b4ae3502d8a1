create or replace function orchestration.tg_graph_run__prepare() returns trigger
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a graph run inserted by plain SQL is a launch by hand: check it, pin it to the current version. Raises: OR101, OR105, OR108, OR303, OR401, OR402, OR408.
declare
    v_version_id bigint;
begin
    v_version_id := orchestration._launchable(new.graph_id, new.params, new.run_key);
    if new.status is distinct from 'RUNNING' or new.finished_at is not null or new.version_id is not null or new.open_count <> 0 or new.replaces_id is not null
       or new.replaced_by_id is not null or new.opened_by <> 'launch' then
        perform orchestration._refuse('OR303', format('a run of graph %s is inserted with more than graph_id, run_key and params', (select to_json(g.name) from orchestration.graph g where g.id = new.graph_id)),
            'The other columns are kept by the engine.');
    end if;
    perform orchestration._check_ancestors(v_version_id);
    select v.id, v.task_count into new.version_id, new.open_count from orchestration.graph_version v where v.id = v_version_id;
    new.created_at := orchestration._now();
    new.updated_at := new.created_at;
    return new;
end
$$;
comment on function orchestration.tg_graph_run__prepare() is 'Checks and completes a graph run inserted by plain SQL.';
create or replace trigger _100_prepare before insert on orchestration.graph_run for each row
    when (coalesce(current_setting('orchestration.engine', true), '') <> 'on' or current_user <> 'orchestration_owner')
    execute function orchestration.tg_graph_run__prepare();
