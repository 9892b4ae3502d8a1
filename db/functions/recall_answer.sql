create or replace function orchestration.recall_answer(token_id bigint, key text, request_sha256 bytea)
returns table (status integer, location text, body text)
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: was a POST with this Idempotency-Key answered already? If not it is noted as begun: whoever sends the same key meanwhile waits
--          for the end of this transaction, and a transaction that fails leaves nothing.
-- Returns: the answer given; no row: go on, and call store_answer.
-- Raises:  OR502 the key was used for another request.
declare
    v_known record;
    v_memory interval := (select s.value::interval from orchestration.setting s where s.name = 'idempotency_memory');
begin
    delete from orchestration.idempotency_key k
    where k.token_id = recall_answer.token_id and k.key = recall_answer.key and k.created_at < orchestration._now() - v_memory;
    insert into orchestration.idempotency_key (token_id, key, request_sha256, created_at)
    values (recall_answer.token_id, recall_answer.key, recall_answer.request_sha256, orchestration._now())
    on conflict do nothing;
    if found then
        return;
    end if;
    select k.* into v_known from orchestration.idempotency_key k where k.token_id = recall_answer.token_id and k.key = recall_answer.key;
    if v_known.request_sha256 <> recall_answer.request_sha256 then
        perform orchestration._refuse('OR502', format('Idempotency-Key %s was used for another request', to_json(key)), 'Use a new key for a new request.');
    end if;
    return query select v_known.status, v_known.location, v_known.body;
end
$$;
comment on function orchestration.recall_answer(bigint, text, bytea) is 'The answer a POST with this Idempotency-Key got; no row: it is the first.';
