create or replace function orchestration.replay_all(
    reason text default null, topic text default null, after bigint default 0, batch integer default 100,
    out replayed integer, out refused integer, out failing integer, out last_id bigint)
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: replay the open dead letters of a reason and topic (null: any), each once, oldest first. Those that still cannot be applied stay
--          open and get their present reason. A partial run without external_id is opened only for those whose reason is `unexpected`.
-- Parameters: reason, topic; after: only letters with a greater id; batch: how many in this transaction. Call it again with after = last_id
--          until last_id is null.
-- Returns: how many were replayed, refused (gone on since), are failing still; the last one looked at, null where there was none.
-- Raises:  OR501.
-- Locks:   the letters' rows, passing over those somebody replays.
-- Calls:   _replay.
declare
    v_letter record;
    v_done record;
    v_words text;
    v_state text;
begin
    perform orchestration._require_read_committed();
    if batch is null or batch not between 1 and 10000 then
        perform orchestration._refuse('OR501', format('replay_all with batch %s', coalesce(batch::text, 'null')), 'Use 1 to 10000.');
    end if;
    replayed := 0; refused := 0; failing := 0;
    for v_letter in
        select d.id, d.reason from orchestration.dead_letter d
        where d.replayed_at is null and d.id > coalesce(replay_all.after, 0)
          and (replay_all.reason is null or d.reason = replay_all.reason) and (replay_all.topic is null or d.topic = replay_all.topic)
        order by d.id limit replay_all.batch for update skip locked
    loop
        last_id := v_letter.id;
        begin
            v_done := orchestration._replay(v_letter.id, v_letter.reason = 'unexpected');
            if v_done.task_run_id is not null then
                replayed := replayed + 1;
                continue;
            end if;
            failing := failing + 1;
            update orchestration.dead_letter d set reason = v_done.reason, detail = v_done.words, updated_at = orchestration._now() where d.id = v_letter.id;
        exception
            when sqlstate 'OR406' then
                refused := refused + 1;
            when transaction_rollback or lock_not_available or insufficient_resources or operator_intervention then
                raise;
            when others then
                get stacked diagnostics v_state = returned_sqlstate, v_words = message_text;
                failing := failing + 1;
                update orchestration.dead_letter d set reason = 'error', detail = format('%s: %s', v_state, v_words), updated_at = orchestration._now() where d.id = v_letter.id;
        end;
    end loop;
end
$$;
comment on function orchestration.replay_all(text, text, bigint, integer) is 'Replays open dead letters of a reason and topic; answers counts.';
