create or replace function orchestration.store_answer(token_id bigint, key text, status integer, location text, body text) returns void
language sql security definer
set search_path = ''
as $$
    -- Purpose: remember the answer to a POST that recall_answer noted as begun, in the transaction of what it did.
    update orchestration.idempotency_key k
    set status = store_answer.status, location = store_answer.location, body = store_answer.body
    where k.token_id = store_answer.token_id and k.key = store_answer.key
$$;
comment on function orchestration.store_answer(bigint, text, integer, text, text) is 'Remembers the answer to a POST.';
