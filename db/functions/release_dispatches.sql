create or replace function orchestration.release_dispatches(instance bigint, task_run_ids bigint[]) returns void
language sql security definer
set search_path = ''
as $$
    -- Purpose: the broker refused them: any bridge may take them again. Writes: dispatch.
    update orchestration.dispatch d set bridge_id = null where d.task_run_id = any (release_dispatches.task_run_ids) and d.bridge_id = release_dispatches.instance
$$;
comment on function orchestration.release_dispatches(bigint, bigint[]) is 'Gives claimed dispatches back.';
