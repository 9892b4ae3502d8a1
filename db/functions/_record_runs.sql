create or replace function orchestration._record_runs(p_run_ids bigint[], p_old text, p_new text[], p_reasons text[], p_details text[]) returns void
language plpgsql
set search_path = ''
as $$
-- Purpose: history of graph runs. Source and actor are the transaction's settings orchestration.source and orchestration.actor.
-- Writes:  task_run_event.
declare
    v_now timestamptz := orchestration._now();
begin
    insert into orchestration.task_run_event (at, graph_run_id, old_status, new_status, source, actor, reason, detail)
    select v_now, r.id, p_old, r.new, coalesce(nullif(current_setting('orchestration.source', true), ''), 'sql'),
           nullif(current_setting('orchestration.actor', true), ''), r.reason, r.detail
    from unnest(p_run_ids, p_new, p_reasons, p_details) r(id, new, reason, detail);
end
$$;
comment on function orchestration._record_runs(bigint[], text, text[], text[], text[]) is 'Writes history of graph runs.';
