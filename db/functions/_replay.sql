create or replace function orchestration._replay(p_id bigint, p_open boolean, out task_run_id bigint, out reason text, out words text)
language plpgsql
set search_path = ''
as $$
-- Purpose: take the event of a dead letter in under the present rules. The caller holds the letter's row and knows that it is open.
-- Parameters: the letter; may it open a partial run without an external id.
-- Returns: the task run, the letter is closed; or why it still cannot be applied, with nothing changed.
-- Raises:  OR406 where a RUNNING or ACCEPTED speaks of an execution that has gone on since.
-- Calls:   _apply_events.
-- Writes:  dead_letter.
declare
    v_letter orchestration.dead_letter%rowtype;
    v_event jsonb;
    v_before bigint := (select s.last_value - case when s.is_called then 0 else 1 end from orchestration.task_run_event_id_seq s);
    v_run record;
    v_last record;
    v_double bigint;
begin
    select d.* into v_letter from orchestration.dead_letter d where d.id = p_id;
    if p_open then
        perform set_config('orchestration.replay', 'on', true);
    end if;
    task_run_id := (orchestration._apply_events(v_letter.topic, array[v_letter.partition], array[v_letter."offset"], array[v_letter.key], array[v_letter.value]))[1];
    perform set_config('orchestration.replay', '', true);
    if task_run_id is null then
        -- it became a dead letter again: its double leaves, what it says is the answer
        v_double := currval('orchestration.dead_letter_id_seq');
        delete from orchestration.dead_letter d where d.id = v_double returning d.reason, d.detail into reason, words;
        return;
    end if;
    v_event := convert_from(v_letter.value, 'UTF8')::jsonb;
    if v_event ->> 'status' in ('RUNNING', 'ACCEPTED') then
        select t.id, t.task_id, t.run_key, t.created_at, t.status, t.matched_by into v_run from orchestration.task_run t where t.id = _replay.task_run_id;
        select e.old_status, e.new_status, e.reason into v_last
        from orchestration.task_run_event e where e.task_run_id = v_run.id and e.id > v_before order by e.id desc limit 1;
        if found and (v_last.reason in ('late', 'duplicate')
                      or (v_run.matched_by = 'in_flight' and v_run.created_at > v_letter.created_at)
                      or (v_last.old_status is null and v_event ->> 'external_id' is null
                          and exists (select from orchestration.task_run t
                                      where t.task_id = v_run.task_id and t.id <> v_run.id and t.run_key is not distinct from v_run.run_key
                                        and coalesce(t.finished_at, t.created_at) >= v_letter.created_at))) then
            perform orchestration._refuse('OR406', format('dead letter %s says %s of %s, and what it speaks of has gone on since', p_id, v_event ->> 'status', v_letter.created_at),
                'It has nothing left to tell: leave it until its retention ends.');
        end if;
    end if;
    update orchestration.dead_letter d
    set replayed_at = orchestration._now(), updated_at = orchestration._now(), task_run_id = _replay.task_run_id,
        replayed_by = coalesce(nullif(current_setting('orchestration.actor', true), ''), session_user)
    where d.id = p_id;
end
$$;
comment on function orchestration._replay(bigint, boolean) is 'Takes the event of a dead letter in under the present rules.';
