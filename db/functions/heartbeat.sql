create or replace function orchestration.heartbeat(instance bigint, partitions integer[], lags bigint[]) returns text
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a bridge is alive; what it holds and how far behind it is. Takes unsent dispatches from bridges that fell silent, and sees to
--          the partitions of the record.
-- Parameters: partitions of etl_finished_tasks held, messages not yet applied in each (null: unknown).
-- Returns: the desired state, started or stopped.
-- Writes:  bridge_instance, kafka_offset, dispatch.
declare
    v_now timestamptz := orchestration._now();
    v_desired text := (select s.desired from orchestration.service_state s);
    v_silence interval := (select s.value::interval from orchestration.setting s where s.name = 'bridge_silence');
begin
    update orchestration.bridge_instance b set heartbeat_at = v_now, state = v_desired where b.id = instance and b.retired_at is null;
    if not found then
        perform orchestration._refuse('OR712', format('bridge %s is not registered', instance), 'Call register_bridge first.');
    end if;
    if cardinality(partitions) > 0 then
        update orchestration.kafka_offset k
        set lag = p.lag, read_to_end_at = case when p.lag = 0 then v_now else k.read_to_end_at end
        from unnest(partitions, lags) p(partition, lag)
        where k.topic = 'etl_finished_tasks' and k.partition = p.partition and k.bridge_id = instance;
    end if;
    if exists (select from orchestration.bridge_instance b where b.retired_at is null and b.heartbeat_at < v_now - v_silence) then
        with silent as (
            update orchestration.bridge_instance b set retired_at = v_now, state = 'silent'
            where b.id in (select x.id from orchestration.bridge_instance x where x.retired_at is null and x.heartbeat_at < v_now - v_silence for update skip locked)
            returning b.id
        )
        update orchestration.dispatch d set bridge_id = null where d.bridge_id in (select id from silent);
    end if;
    if v_now + interval '2 weeks' >= (select s.value::timestamptz from orchestration.setting s where s.name = 'record_ready_until') then
        perform orchestration._create_partitions();
    end if;
    return v_desired;
end
$$;
comment on function orchestration.heartbeat(bigint, integer[], bigint[]) is 'A bridge is alive; answers the desired state.';
