create or replace function orchestration.reap_stale_runs() returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_count integer;
begin
    update orchestration.task_run set status = 'FAILED'
     where status = 'RUNNING' and updated_at < orchestration._now() - interval '1 hour';
    get diagnostics v_count = row_count;
    return v_count;
end
$$;
