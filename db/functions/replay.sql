create or replace function orchestration.replay(dead_letter_id bigint) returns bigint
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a dead letter whose cause is mended: its event is taken in under the present rules, once. One that is a root nowhere and brings
--          no external_id opens its partial run.
-- Returns: the task run's id.
-- Raises:  OR405 unknown; OR406 replayed already, or its execution has gone on; OR407 it still cannot be applied: it stays open, unchanged.
-- Locks:   the dead letter's row: of two at once the second finds it replayed.
-- Calls:   _replay.
declare
    v_letter record;
    v_done record;
begin
    perform orchestration._require_read_committed();
    select d.id, d.replayed_at, d.replayed_by, d.task_run_id into v_letter from orchestration.dead_letter d where d.id = replay.dead_letter_id for update;
    if not found then
        perform orchestration._refuse('OR405', format('dead letter %s does not exist', coalesce(replay.dead_letter_id::text, 'null')), 'List them: select id, topic, reason, detail from orchestration.dead_letter where replayed_at is null.');
    end if;
    if v_letter.replayed_at is not null then
        perform orchestration._refuse('OR406', format('dead letter %s was replayed at %s by %s, as task run %s', v_letter.id, v_letter.replayed_at, v_letter.replayed_by, v_letter.task_run_id),
            'Nothing is left to do.');
    end if;
    v_done := orchestration._replay(v_letter.id, true);
    if v_done.task_run_id is null then
        perform orchestration._refuse('OR407', format('dead letter %s still cannot be applied: %s: %s', v_letter.id, v_done.reason, v_done.words), 'Mend the cause first, then replay it.');
    end if;
    return v_done.task_run_id;
end
$$;
comment on function orchestration.replay(bigint) is 'Takes a dead letter in under the present rules, once; answers the task run''s id.';
