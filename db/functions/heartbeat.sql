create or replace function orchestration.heartbeat(
    instance bigint, partitions integer[], lags bigint[], ends bigint[] default '{}', asked_at timestamptz default null, known integer[] default '{}',
    out state text, out at timestamptz)
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a bridge is alive; what it holds and how far behind it is. Moves the horizon. Takes unsent dispatches from bridges that fell
--          silent, and sees to the partitions of the record.
-- Parameters: partitions of etl_finished_tasks held; element by element lags, messages not yet applied (null: unknown), and ends, the offset
--          that must be stored for all to be applied up to the end of the log (null: unknown). asked_at: the `at` of a heartbeat that had
--          answered before those ends were asked for; whatever was produced before that instant lies before them. known: all partitions the
--          topic has, held or not: one that is new counts from now on.
-- Returns: the desired state, started or stopped; this instant by the database's clock.
-- Calls:   _unclaim.
-- Writes:  bridge_instance, kafka_offset, dispatch.
declare
    v_silent bigint[];
    v_silence interval := (select s.value::interval from orchestration.setting s where s.name = 'bridge_silence');
begin
    state := (select s.desired from orchestration.service_state s);
    at := orchestration._now();
    update orchestration.bridge_instance b set heartbeat_at = heartbeat.at, state = heartbeat.state where b.id = instance and b.retired_at is null;
    if not found then
        perform orchestration._refuse('OR712', format('bridge %s is not registered', instance), 'Call register_bridge first.');
    end if;
    if cardinality(partitions) > 0 then
        update orchestration.kafka_offset k
        set lag = p.lag,
            read_to_end_at = case when heartbeat.state = 'started' and asked_at is not null and k.next_offset >= p.log_end
                                  then greatest(k.read_to_end_at, least(asked_at, heartbeat.at)) else k.read_to_end_at end
        from unnest(partitions, lags, ends) p(partition, lag, log_end)
        where k.topic = 'etl_finished_tasks' and k.partition = p.partition and k.bridge_id = instance;
    end if;
    if exists (select from unnest(known) p where not exists (select from orchestration.kafka_offset k where k.topic = 'etl_finished_tasks' and k.partition = p))
       and exists (select from orchestration.kafka_topic t where t.topic = 'etl_finished_tasks') then
        insert into orchestration.kafka_offset (topic, partition, next_offset) select 'etl_finished_tasks', p, 0 from unnest(known) p
        on conflict do nothing;
    end if;
    if exists (select from orchestration.bridge_instance b where b.retired_at is null and b.heartbeat_at < heartbeat.at - v_silence) then
        with silent as (
            update orchestration.bridge_instance b set retired_at = heartbeat.at, state = 'silent'
            where b.id in (select x.id from orchestration.bridge_instance x where x.retired_at is null and x.heartbeat_at < heartbeat.at - v_silence for update skip locked)
            returning b.id
        )
        select array_agg(s.id) into v_silent from silent s;
        perform orchestration._unclaim(v_silent, null);
    end if;
    if at + interval '2 weeks' >= (select s.value::timestamptz from orchestration.setting s where s.name = 'record_ready_until') then
        perform orchestration._create_partitions();
    end if;
end
$$;
comment on function orchestration.heartbeat(bigint, integer[], bigint[], bigint[], timestamptz, integer[]) is 'A bridge is alive; answers the desired state and the instant.';
