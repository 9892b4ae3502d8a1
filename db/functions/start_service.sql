create or replace function orchestration.start_service() returns void
language sql security definer
set search_path = ''
as $$
    -- Purpose: the bridges take in and send again, from where they stopped. Writes: service_state.
    update orchestration.service_state set desired = 'started', actor = nullif(current_setting('orchestration.actor', true), ''), changed_at = orchestration._now()
$$;
comment on function orchestration.start_service() is 'Bridges work again.';
