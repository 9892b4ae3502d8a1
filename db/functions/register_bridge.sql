create or replace function orchestration.register_bridge(host text, pid integer, version text) returns bigint
language sql security definer
set search_path = ''
as $$
    -- Purpose: a bridge starts. Returns its id. Writes: bridge_instance.
    insert into orchestration.bridge_instance (host, pid, version, started_at, heartbeat_at)
    values (register_bridge.host, register_bridge.pid, register_bridge.version, orchestration._now(), orchestration._now())
    returning id
$$;
comment on function orchestration.register_bridge(text, integer, text) is 'Registers a starting bridge; answers its id.';
