create or replace function orchestration.tg_graph__validate() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
as $$
-- Purpose: rules of graph before the constraints speak. Raises: OR101, OR102, OR106, OR108.
begin
    perform orchestration._check_name('graph name', new.name);
    if exists (select from orchestration.graph g where g.name = new.name and g.id <> new.id) then
        perform orchestration._refuse('OR102', format('graph %s exists', to_json(new.name)), 'Choose another name, or update the existing graph.');
    end if;
    if jsonb_typeof(new.labels) is distinct from 'object' then
        perform orchestration._refuse('OR108', format('labels of graph %s are not a JSON object', to_json(new.name)), 'Write an object such as {"team": "dwh"}.');
    end if;
    if new.repeat_policy is null or new.repeat_policy not in ('latest', 'queue', 'reject') then
        perform orchestration._refuse('OR108', format('repeat_policy of graph %s is %s', to_json(new.name), coalesce(to_json(new.repeat_policy)::text, 'null')), 'Use latest, queue or reject.');
    end if;
    if new.paused is null or new.archived is null then
        perform orchestration._refuse('OR108', format('paused or archived of graph %s is null', to_json(new.name)), 'Use true or false.');
    end if;
    if new.timeout <= interval '0' or new.timeout > interval '10 years' then
        perform orchestration._refuse('OR106', format('timeout of graph %s is out of bounds', to_json(new.name)), 'Use more than 0 and at most 10 years, or null for none.');
    end if;
    return new;
end
$$;
comment on function orchestration.tg_graph__validate() is 'Rules of graph.';
create or replace trigger _100_validate before insert or update on orchestration.graph for each row execute function orchestration.tg_graph__validate();
