create or replace function orchestration._reap_walk(p_horizon timestamptz, p_limit integer) returns boolean
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set timezone = 'UTC'
as $$
-- Purpose: walk graph_run once, by id, behind the age of the shortest time-out of any graph; what is still open there goes into watched_run.
--          So time-outs of graph runs cost nothing where runs are opened and ended. It goes no further than ids no open transaction can
--          still bring: an id of the sequence is settled once every transaction has ended that was there when it was the last.
-- Parameters: the horizon; how many graph runs to look at.
-- Returns: whether there is more.
-- Writes:  watched_run, reaper_state.
declare
    v_walked bigint;
    v_settled bigint;
    v_settling bigint;
    v_xid xid8;
    v_shortest interval := (select min(g.timeout) from orchestration.graph g);
    v_more boolean := false;
    v_page record;
begin
    select s.walked_run_id, s.settled_run_id, s.settling_run_id, s.settling_xid into v_walked, v_settled, v_settling, v_xid from orchestration.reaper_state s;
    if v_xid > pg_snapshot_xmax(pg_current_snapshot()) then
        v_xid := null;  -- a restored database: transaction ids began anew
    end if;
    for n in 1 .. 2 loop
        if v_xid is not null then
            exit when exists (select from pg_snapshot_xip(pg_current_snapshot()) x(xid) where x.xid < v_xid);
            v_settled := greatest(v_settled, v_settling);
        end if;
        select case when s.is_called then s.last_value else 0 end into v_settling from orchestration.graph_run_id_seq s;
        v_xid := pg_snapshot_xmax(pg_current_snapshot());
    end loop;
    if v_shortest is not null then
        with page as materialized (
            select r.id, r.graph_id, r.created_at, r.status from orchestration.graph_run r
            where r.id > v_walked and r.id <= v_settled
            order by r.id limit p_limit
        ), old as (
            select p.* from page p where p.id < coalesce((select min(y.id) from page y where y.created_at > p_horizon - v_shortest), 9223372036854775807)
        ), watched as (
            insert into orchestration.watched_run (graph_run_id, graph_id, due_at)
            select o.id, o.graph_id, coalesce(o.created_at + g.timeout, p_horizon)
            from old o cross join lateral (select x.timeout from orchestration.graph x where x.id = o.graph_id offset 0) g
            where o.status = 'RUNNING'
            on conflict do nothing
        )
        select (select count(*) from page) as size, (select count(*) from old) as old, (select max(o.id) from old o) as last into v_page;
        v_walked := case when v_page.size = v_page.old and v_page.size < p_limit then greatest(v_walked, v_settled)
                         else coalesce(v_page.last, v_walked) end;
        v_more := v_page.old = p_limit;
    end if;
    update orchestration.reaper_state s
    set walked_run_id = v_walked, settled_run_id = v_settled, settling_run_id = v_settling, settling_xid = v_xid;
    return v_more;
end
$$;
comment on function orchestration._reap_walk(timestamptz, integer) is 'Finds graph runs old enough to be past their time-out.';
