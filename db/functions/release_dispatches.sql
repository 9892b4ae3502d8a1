create or replace function orchestration.release_dispatches(instance bigint, task_run_ids bigint[]) returns void
language sql security definer
set search_path = ''
as $$
    -- Purpose: the broker refused them: any bridge may take them again. Calls: _unclaim. Writes: dispatch.
    select orchestration._unclaim(array[release_dispatches.instance], release_dispatches.task_run_ids)
$$;
comment on function orchestration.release_dispatches(bigint, bigint[]) is 'Gives claimed dispatches back.';
