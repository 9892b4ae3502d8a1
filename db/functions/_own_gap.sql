create or replace function orchestration._own_gap(p_task_id bigint, p_key text, p_ext text, p_status text, out reason text, out words text)
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
as $$
-- Purpose: why work that a tool started by itself cannot be taken in (SPEC 4.1.6): its task is archived, or is a root nowhere, in some graph, and
--          no partial run can be opened from it.
-- Parameters: task, run key, the external id it brings (null: none), the status it reports.
--          Setting orchestration.replay: a person replays a dead letter, which opens a partial run without an external id too.
-- Returns: the dead letter's reason and words; null: it can.
-- Calls:   _partial_gap.
declare
    v_card record;
    v_gap text;
begin
    select k.task_name, k.archived into v_card from orchestration.task_card k where k.task_id = p_task_id;
    if v_card.archived then
        reason := 'unknown';
        words := format('task %s is archived, and nothing of it is in flight that we started', v_card.task_name);
        return;
    end if;
    if p_status = 'ACCEPTED' then
        reason := 'unexpected';
        words := format('task %s has no execution in flight that could be accepted', v_card.task_name);
        return;
    end if;
    if exists (select from orchestration.graph_root g where g.task_id = p_task_id)
       or exists (select from orchestration.awaited_root a where a.task_id = p_task_id and a.run_key = coalesce(p_key, ''))
       or not exists (select from orchestration.chain c join orchestration.graph_chain gc on gc.chain_id = c.id join orchestration.graph g on g.id = gc.graph_id and not g.archived
                      where c.previous_task_id = p_task_id or c.next_task_id = p_task_id) then
        return;
    end if;
    if p_ext is null and not (coalesce(current_setting('orchestration.replay', true), '') = 'on' and p_status in ('SUCCESS', 'FAILED', 'SKIPPED')) then
        reason := 'unexpected';
        words := format('task %s is a root of no graph, nothing of it is in flight, and the event brings no external_id of its own', v_card.task_name);
        return;
    end if;
    v_gap := orchestration._partial_gap(p_task_id, p_key);
    if v_gap is not null then
        reason := 'unexpected';
        words := format('task %s is a root of no graph, and its partial run cannot be opened: %s', v_card.task_name, v_gap);
    end if;
end
$$;
comment on function orchestration._own_gap(bigint, text, text, text) is 'Why work that a tool started by itself cannot be taken in.';
