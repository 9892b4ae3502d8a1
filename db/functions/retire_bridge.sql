create or replace function orchestration.retire_bridge(instance bigint) returns void
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a bridge ends in good order: its unsent dispatches are anybody's. Calls: _unclaim. Writes: bridge_instance, dispatch.
begin
    update orchestration.bridge_instance b set retired_at = orchestration._now(), state = 'retired' where b.id = instance and b.retired_at is null;
    perform orchestration._unclaim(array[instance], null);
    perform pg_notify('orchestration_task_run', '') where exists (select from orchestration.dispatch d where d.bridge_id is null);
end
$$;
comment on function orchestration.retire_bridge(bigint) is 'Ends a bridge in good order.';
