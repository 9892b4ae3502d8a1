create or replace function orchestration.ingest(
    instance bigint, topic text, partitions integer[], offsets bigint[], keys bytea[], payloads bytea[],
    owned integer[], epochs bigint[], expected bigint[], next_offsets bigint[], confirmed bigint[])
returns table (task_run_id bigint, dispatch_topic text, key text, value text)
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
-- Purpose: one batch of a bridge in one transaction: confirm what was delivered, move the offsets (fenced), take the events in, answer the
--          dispatches they led to, claimed by this bridge.
-- Parameters: one element a message in partitions, offsets, keys, payloads; one a partition in owned, epochs (held), expected (offset last
--          stored), next_offsets (to store); confirmed: task run ids of delivered dispatches.
-- Returns: the dispatches to send.
-- Raises:  OR710 fenced, OR711 stopped.
-- Calls:   _apply_events, confirm_dispatches, _is_ours.
-- Writes:  kafka_offset.
declare
    v_count integer;
    v_before bigint;
begin
    if cardinality(confirmed) > 0 then
        perform orchestration.confirm_dispatches(instance, confirmed);
    end if;
    if (select s.desired from orchestration.service_state s) <> 'started' then
        perform orchestration._refuse('OR711', 'the service is stopped', 'Start it: orchestration service start, or select orchestration.start_service().');
    end if;
    update orchestration.kafka_offset k
    set next_offset = o.next_offset, updated_at = orchestration._now()
    from unnest(ingest.owned, ingest.epochs, ingest.expected, ingest.next_offsets) o(partition, epoch, expected, next_offset)
    where k.topic = ingest.topic and k.partition = o.partition and k.epoch = o.epoch and k.next_offset = o.expected;
    get diagnostics v_count = row_count;
    if v_count <> cardinality(ingest.owned) then
        perform orchestration._refuse('OR710', format('bridge %s no longer holds all of partitions %s of topic %s', instance, ingest.owned, ingest.topic),
            'Another bridge took over: join the group anew.');
    end if;
    if cardinality(payloads) > 0 then
        perform set_config('orchestration.bridge', instance::text, true);
        select s.last_value + s.is_called::integer into v_before from orchestration.task_run_id_seq s;
        perform orchestration._apply_events(ingest.topic, partitions, offsets, keys, payloads);
        return query
        select d.task_run_id, d.topic, d.key, d.value from orchestration.dispatch d
        where d.task_run_id >= v_before and d.bridge_id = ingest.instance and (d.xmin = pg_current_xact_id()::xid or orchestration._is_ours(d.xmin));
    end if;
end
$$;
comment on function orchestration.ingest(bigint, text, integer[], bigint[], bytea[], bytea[], integer[], bigint[], bigint[], bigint[], bigint[]) is
    'One batch of a bridge: offsets, events and confirmations in one transaction; answers the dispatches to send.';
