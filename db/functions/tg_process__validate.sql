create or replace function orchestration.tg_process__validate() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
as $$
-- Purpose: rules of process before the constraints speak. Raises: OR101, OR102, OR107.
begin
    perform orchestration._check_name('process uid', new.uid);
    if not exists (select from orchestration.service s where s.id = new.service_id) then
        perform orchestration._refuse('OR107', format('process %s names service %s, which does not exist', to_json(new.uid), coalesce(new.service_id::text, 'null')), 'Create the service first.');
    end if;
    if exists (select from orchestration.process p where p.service_id = new.service_id and p.uid = new.uid and p.id <> new.id) then
        perform orchestration._refuse('OR102', format('process %s of service %s exists', to_json(new.uid), new.service_id), 'Choose another uid, or update the existing process.');
    end if;
    return new;
end
$$;
comment on function orchestration.tg_process__validate() is 'Rules of process.';
create or replace trigger _100_validate before insert or update on orchestration.process for each row execute function orchestration.tg_process__validate();
