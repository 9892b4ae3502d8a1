create or replace function orchestration._horizon_note() returns text
language plpgsql
set search_path = ''
as $$
-- Purpose: why the horizon stands still, in words: the partition that holds it most. Nothing is failed for time meanwhile.
-- Returns: null where it moves (it is younger than bridge_silence).
declare
    v_horizon timestamptz := orchestration._horizon();
    v_silence interval := (select s.value::interval from orchestration.setting s where s.name = 'bridge_silence');
    v_worst record;
begin
    if (select s.desired from orchestration.service_state s) = 'stopped' then
        return 'the service is stopped';
    end if;
    if v_horizon >= orchestration._now() - v_silence then
        return null;
    end if;
    select k.partition, k.lag, k.read_to_end_at, b.id as bridge_id into v_worst
    from orchestration.kafka_offset k left join orchestration.bridge_instance b on b.id = k.bridge_id and b.retired_at is null and b.heartbeat_at >= orchestration._now() - v_silence
    where k.topic = 'etl_finished_tasks'
    order by k.read_to_end_at nulls first, k.partition limit 1;
    if not found then
        return 'a bridge was here and never read topic etl_finished_tasks';
    end if;
    return format('partition %s of topic etl_finished_tasks was %s: %s', v_worst.partition,
        coalesce('last read to its end at ' || to_char(v_worst.read_to_end_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'never read to its end'),
        case when v_worst.bridge_id is null then 'no living bridge holds it'
             when v_worst.lag > 0 then format('bridge %s is %s messages behind', v_worst.bridge_id, v_worst.lag)
             else format('bridge %s cannot tell where it ends', v_worst.bridge_id) end);
end
$$;
comment on function orchestration._horizon_note() is 'Why the horizon stands still; null where it moves.';
