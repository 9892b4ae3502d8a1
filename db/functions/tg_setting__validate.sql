create or replace function orchestration.tg_setting__validate() returns trigger
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: the engine reads settings while it works: a value it cannot use, or a missing one, would stop every event. Raises: OR103, OR106, OR302.
declare
    v_value interval;
begin
    if tg_op = 'DELETE' then
        perform orchestration._refuse('OR103', format('setting %s is read by the engine', old.name), 'Update its value instead.');
    end if;
    if new.name <> old.name then
        perform orchestration._refuse('OR302', format('name of setting %s', old.name), 'Update its value only.');
    end if;
    begin
        if new.name = 'record_ready_until' then
            perform new.value::timestamptz;
            return new;
        elsif new.name = 'api_rate_limit' then
            v_value := make_interval(secs => new.value::integer);
        else
            v_value := new.value::interval;
        end if;
    exception when data_exception then
        v_value := null;
    end;
    if v_value is null or v_value <= interval '0' then
        perform orchestration._refuse('OR106', format('value %s of setting %s is no %s above 0', coalesce(to_json(new.value)::text, 'null'), new.name, case when new.name = 'api_rate_limit' then 'whole number' else 'interval' end),
            case when new.name = 'api_rate_limit' then 'Use a number such as 100.' else 'Use an interval such as ''14 days''.' end);
    end if;
    return new;
end
$$;
comment on function orchestration.tg_setting__validate() is 'Rules of settings.';
create or replace trigger _100_validate before update or delete on orchestration.setting for each row execute function orchestration.tg_setting__validate();
