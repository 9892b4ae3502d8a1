create or replace function orchestration.tg_task__validate() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
as $$
-- Purpose: rules of task before the constraints speak. Raises: OR101, OR102, OR104, OR106, OR107.
begin
    perform orchestration._check_name('task name', new.name);
    if not exists (select from orchestration.process p where p.id = new.process_id) then
        perform orchestration._refuse('OR107', format('task %s names process %s, which does not exist', to_json(new.name), coalesce(new.process_id::text, 'null')), 'Create the process first.');
    end if;
    if exists (select from orchestration.task t where t.name = new.name and t.id <> new.id) then
        perform orchestration._refuse('OR102', format('task %s exists', to_json(new.name)), 'Choose another name, or update the existing task.');
    end if;
    if jsonb_typeof(new.config_template) is distinct from 'object' then
        perform orchestration._refuse('OR104', format('config template of task %s is not a JSON object', to_json(new.name)), 'Write an object, {} where the task needs no config.');
    end if;
    if octet_length(new.config_template::text) > 524288 then
        perform orchestration._refuse('OR104', format('config template of task %s is over 512 KiB', to_json(new.name)), 'Put bulk data elsewhere and pass a reference.');
    end if;
    if new.timeout <= interval '0' or new.timeout > interval '10 years' or new.ack_timeout <= interval '0' or new.ack_timeout > interval '10 years' then
        perform orchestration._refuse('OR106', format('timeout or ack_timeout of task %s is out of bounds', to_json(new.name)), 'Use more than 0 and at most 10 years, or null for none.');
    end if;
    if new.max_attempts is null or new.max_attempts not between 1 and 1000 then
        perform orchestration._refuse('OR106', format('max_attempts of task %s is %s', to_json(new.name), coalesce(new.max_attempts::text, 'null')), 'Use 1 to 1000.');
    end if;
    if new.retry_delay is null or new.retry_delay < interval '0' or new.retry_delay > interval '1 year' then
        perform orchestration._refuse('OR106', format('retry_delay of task %s is out of bounds', to_json(new.name)), 'Use 0 to 1 year.');
    end if;
    return new;
end
$$;
comment on function orchestration.tg_task__validate() is 'Rules of task.';
create or replace trigger _100_validate before insert or update on orchestration.task for each row execute function orchestration.tg_task__validate();
