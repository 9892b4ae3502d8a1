create or replace function orchestration.stop_service() returns void
language sql security definer
set search_path = ''
as $$
    -- Purpose: within 5 s every bridge stops taking in and sending; nothing is lost. Writes: service_state.
    update orchestration.service_state set desired = 'stopped', actor = nullif(current_setting('orchestration.actor', true), ''), changed_at = orchestration._now()
$$;
comment on function orchestration.stop_service() is 'Bridges stop taking in and sending within 5 s.';
