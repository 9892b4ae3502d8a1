create or replace function orchestration.start_service() returns void
language plpgsql security definer
set search_path = ''
as $$
begin
    execute format('comment on schema orchestration is %L', 'started by ' || current_setting('orchestration.actor', true));
end
$$;
