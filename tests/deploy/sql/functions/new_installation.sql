create or replace function orchestration.new_installation() returns uuid
language plpgsql
set search_path = ''
as $$
declare
    v_id uuid;
begin
    delete from orchestration.installation;
    insert into orchestration.installation default values returning id into v_id;
    return v_id;
end
$$;
