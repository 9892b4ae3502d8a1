create or replace function orchestration.service_status() returns jsonb
language sql stable
set search_path = ''
as $$ select jsonb_build_object('state', 'started', 'instances', jsonb_build_array(jsonb_build_object('id', 1, 'host', 'here')), 'lag', null) $$;
