create or replace function orchestration._horizon() returns timestamptz
language plpgsql
set search_path = ''
as $$
-- Purpose: the instant up to which every event that was produced is applied: nothing unread can still save what was overdue by then. The
--          least over all partitions of the last instant at which the end was read and all up to it applied; where no bridge ever was, now,
--          or the instant of the stop while the service is stopped. heartbeat moves it, so it stands still while the service is stopped and
--          for partitions nobody holds.
-- Returns: null while a partition was never read to its end.
declare
    v_state record;
begin
    if exists (select from orchestration.kafka_offset k where k.topic = 'etl_finished_tasks') then
        return (select case when count(*) = count(k.read_to_end_at) then min(k.read_to_end_at) end from orchestration.kafka_offset k where k.topic = 'etl_finished_tasks');
    elsif exists (select from orchestration.bridge_instance) then
        return null;
    end if;
    select s.desired, s.changed_at into v_state from orchestration.service_state s;
    return case when v_state.desired = 'started' then orchestration._now() else least(v_state.changed_at, orchestration._now()) end;
end
$$;
comment on function orchestration._horizon() is 'The instant up to which every event is applied; null: not known.';
