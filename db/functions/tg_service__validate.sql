create or replace function orchestration.tg_service__validate() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
as $$
-- Purpose: rules of service before the constraints speak. Raises: OR101, OR102.
begin
    perform orchestration._check_name('service name', new.name);
    if new.dispatch_topic is not null and (char_length(new.dispatch_topic) not between 1 and 249 or new.dispatch_topic ~ '[^A-Za-z0-9._-]') then
        perform orchestration._refuse('OR101', format('dispatch topic %s of service %s is not a Kafka topic name', to_json(left(new.dispatch_topic, 80)), to_json(new.name)),
            'Use letters, digits, dot, underscore and hyphen; leave it null where nothing can be sent to the service.');
    end if;
    if exists (select from orchestration.service s where s.name = new.name and s.id <> new.id) then
        perform orchestration._refuse('OR102', format('service %s exists', to_json(new.name)), 'Choose another name, or update the existing service.');
    end if;
    return new;
end
$$;
comment on function orchestration.tg_service__validate() is 'Rules of service.';
create or replace trigger _100_validate before insert or update on orchestration.service for each row execute function orchestration.tg_service__validate();
