create or replace function orchestration.explain_dead_letter(dead_letter_id bigint) returns table (what text, detail text)
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: why is this a dead letter, is it one still, and what would a replay do? As explain_event, for its message.
-- Returns: rows as of explain_event; for bytes that are no event one row.
-- Raises:  OR405.
-- Calls:   explain_event, _parse_events, _instant.
declare
    v_letter record;
    v_event jsonb;
begin
    select d.id, d.value, d.reason, d.detail, d.created_at, d.replayed_at into v_letter from orchestration.dead_letter d where d.id = explain_dead_letter.dead_letter_id;
    if not found then
        perform orchestration._refuse('OR405', format('dead letter %s does not exist', coalesce(explain_dead_letter.dead_letter_id::text, 'null')),
            'List them: select id, topic, reason, detail from orchestration.dead_letter where replayed_at is null.');
    end if;
    v_event := (orchestration._parse_events(array[v_letter.value]))[1];
    if v_event is null then
        what := 'dead letter';
        detail := format('%s of %s: %s: %s; its bytes can never be taken in', v_letter.id, orchestration._instant(v_letter.created_at), v_letter.reason, v_letter.detail);
        return next;
        return;
    end if;
    return query select e.what, e.detail from orchestration.explain_event(v_event) e;
end
$$;
comment on function orchestration.explain_dead_letter(bigint) is 'Why something is a dead letter, and what a replay would do.';
