create or replace function orchestration.explain_event(event jsonb) returns table (what text, detail text)
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: why did an event do nothing, or something else than expected? What was recorded of it, and what it would do if it came now:
--          that is tried and rolled back.
-- Parameters: the event, as sent.
-- Returns: rows: `taken in` (by its event_id), `dead letter`, `execution` (those it names, by task_run_id or external_id), `now`.
-- Raises:  OR501 where event is null.
-- Calls:   _apply_events, in a transaction of its own that is undone; _instant.
declare
    v_id bigint;
    v_task_run bigint;
    v_words text;
    v_before bigint;
    v_letter record;
    v_run record;
    v_row record;
    v_token text := 'explain ' || gen_random_uuid();
    v_actor text := current_setting('orchestration.actor', true);
begin
    perform orchestration._require_read_committed();
    if event is null then
        perform orchestration._refuse('OR501', 'explain_event was called without an event', 'Pass the event as it was sent: {"service": "nifi", "process": "load_stg", "status": "SUCCESS"}.');
    end if;
    -- what was recorded
    if jsonb_typeof(event) = 'object' then
        return query
        select 'taken in', format('%s: event_id %s with status %s, as task run %s', orchestration._instant(s.at), s.event_id, s.status, s.task_run_id)
        from orchestration.event_seen s
        join (select distinct k.process_id from orchestration.task_card k where k.service_name = event ->> 'service' and k.process_uid = event ->> 'process'
              union select k.process_id from orchestration.task_run t join orchestration.task_card k on k.task_id = t.task_id
              where t.id = case when event ->> 'task_run_id' ~ '^[0-9]{1,18}$' then (event ->> 'task_run_id')::bigint end) p on p.process_id = s.process_id
        where s.event_hash = hashtextextended(event ->> 'event_id', p.process_id) and s.event_id = event ->> 'event_id'
        order by s.at;
    end if;
    for v_letter in select d.id, d.topic, d.value, d.reason, d.detail, d.created_at, d.replayed_at, d.replayed_by, d.task_run_id
                    from orchestration.dead_letter d order by d.id desc limit 1000 loop
        continue when (orchestration._parse_events(array[v_letter.value]))[1] is distinct from event;
        what := 'dead letter';
        detail := format('%s of %s (topic %s): %s: %s', v_letter.id, orchestration._instant(v_letter.created_at), v_letter.topic, v_letter.reason, v_letter.detail)
                  || coalesce(format('; replayed %s by %s as task run %s', orchestration._instant(v_letter.replayed_at), v_letter.replayed_by, v_letter.task_run_id), '');
        return next;
    end loop;
    for v_run in
        select t.id, t.status, t.reason, t.detail, t.finished_at, k.task_name
        from (select case when event ->> 'task_run_id' ~ '^[0-9]{1,18}$' then (event ->> 'task_run_id')::bigint end as id
              union
              select x.task_run_id from orchestration.external_execution x
              where x.external_id = event ->> 'external_id'
                and x.process_id in (select c.process_id from orchestration.task_card c where c.service_name = event ->> 'service' and c.process_uid = event ->> 'process')) n
        join orchestration.task_run t on t.id = n.id
        join orchestration.task_card k on k.task_id = t.task_id
        order by t.id
    loop
        what := 'execution';
        detail := format('task run %s of task %s is %s', v_run.id, v_run.task_name, v_run.status) || coalesce(' (' || v_run.reason || ')', '')
                  || coalesce(' since ' || orchestration._instant(v_run.finished_at), '') || coalesce(': ' || v_run.detail, '');
        return next;
    end loop;
    -- what it would do now
    v_before := (select s.last_value - case when s.is_called then 0 else 1 end from orchestration.task_run_event_id_seq s);
    begin
        perform set_config('orchestration.actor', v_token, true);
        v_id := (orchestration._apply_events('explain', array[null::integer], array[null::bigint], array[null::bytea], array[convert_to(event::text, 'UTF8')]))[1];
        if v_id is null then
            v_task_run := currval('orchestration.dead_letter_id_seq');
            select format('it would be a dead letter: %s: %s', d.reason, d.detail) into v_words from orchestration.dead_letter d where d.id = v_task_run;
        else
            select e.old_status, e.new_status, e.matched_by, e.reason, e.detail into v_row
            from orchestration.task_run_event e where e.task_run_id = v_id and e.id > v_before and e.actor = v_token order by e.id limit 1;
            select format('task run %s of task %s', case when v_row.old_status is null and v_row.new_status is not null then '(a new one)' else t.id::text end, k.task_name) into v_words
            from orchestration.task_run t join orchestration.task_card k on k.task_id = t.task_id where t.id = v_id;
            v_words := case
                when v_row.new_status is null then format('nothing: the same event_id and status was taken in already, as %s', v_words)
                when v_row.reason in ('late', 'duplicate', 'accepted') and v_row.old_status = v_row.new_status
                    then format('it would be recorded as %s of %s, which is %s, and change nothing else', v_row.reason, v_words, v_row.new_status)
                else format('it would bring %s %sto %s', v_words, coalesce('from ' || v_row.old_status || ' ', ''), v_row.new_status) end
                || coalesce(' (found by ' || v_row.matched_by || ')', '')
                || coalesce((select format('; started: %s', string_agg(k.task_name, ', ' order by k.task_name))
                             from orchestration.task_run_event e join orchestration.task_run t on t.id = e.task_run_id join orchestration.task_card k on k.task_id = t.task_id
                             where e.id > v_before and e.actor = v_token and e.old_status is null and e.new_status in ('QUEUED', 'DISPATCHED') having count(*) > 0), '')
                || coalesce((select format('; skipped: %s', string_agg(k.task_name || coalesce(' (' || e.reason || ')', ''), ', ' order by k.task_name))
                             from orchestration.task_run_event e join orchestration.task_run t on t.id = e.task_run_id join orchestration.task_card k on k.task_id = t.task_id
                             where e.id > v_before and e.actor = v_token and e.old_status is null and e.new_status = 'SKIPPED' and e.task_run_id <> v_id having count(*) > 0), '')
                || coalesce((select format('; graph runs opened: %s', count(*)) from orchestration.task_run_event e
                             where e.id > v_before and e.actor = v_token and e.task_run_id is null and e.old_status is null having count(*) > 0), '');
        end if;
        raise exception using errcode = 'DRY00';
    exception when sqlstate 'DRY00' then
        null;
    end;
    perform set_config('orchestration.actor', coalesce(v_actor, ''), true);
    what := 'now';
    detail := v_words;
    return next;
end
$$;
comment on function orchestration.explain_event(jsonb) is 'What became of an event, and what it would do now.';
