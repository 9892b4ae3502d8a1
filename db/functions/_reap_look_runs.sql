create or replace function orchestration._reap_look_runs(p_horizon timestamptz, p_limit integer, out run_ids bigint[], out deadlines timestamptz[], out looked integer)
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set timezone = 'UTC'
as $$
-- Purpose: watched graph runs whose due_at has come: those past their graph's time-out, with the instant they passed it, earliest first. The
--          others get the exact instant as their due_at; those that ended meanwhile, or left, are watched no more. A pause makes the clock
--          stand still: then it is looked at again at the resume (tg_graph__wake).
-- Returns: graph runs past their time-out, and when they passed it; how many rows changed beside them.
-- Locks:   watched_run and graph_run rows, never waiting.
-- Writes:  watched_run.
declare
    v_now timestamptz := orchestration._now();
    v_ids bigint[];
    v_open bigint[];
    v_paused bigint[] := '{}'::bigint[];
begin
    v_ids := array(select w.graph_run_id from orchestration.watched_run w where w.due_at <= p_horizon order by w.due_at limit p_limit for update skip locked);
    looked := 0;
    if cardinality(v_ids) = 0 then
        return;
    end if;
    v_open := array(select r.id from orchestration.graph_run r where r.id = any (v_ids) and r.status = 'RUNNING' order by r.id for no key update skip locked);
    delete from orchestration.watched_run w
    where w.graph_run_id = any (v_ids) and not exists (select from orchestration.graph_run r where r.id = w.graph_run_id and r.status = 'RUNNING' offset 0);
    get diagnostics looked = row_count;
    if exists (select from orchestration.graph_pause g where g.resumed_at is null) then
        v_paused := orchestration._paused_graphs(v_open);
    end if;
    with seen as materialized (
        select p.id, case when g.timeout is null or r.graph_id = any (v_paused) then greatest(v_now, p_horizon) + interval '1 day'
                          else r.created_at + g.timeout + orchestration._stood_still(r.graph_id, r.created_at, p_horizon) end as due_at
        from unnest(v_open) p(id)
        cross join lateral (select x.graph_id, x.created_at from orchestration.graph_run x where x.id = p.id offset 0) r
        left join lateral (select x.timeout from orchestration.graph x where x.id = r.graph_id offset 0) g on true
        offset 0
    ), pushed as (
        update orchestration.watched_run w set due_at = s.due_at from seen s where w.graph_run_id = s.id returning w.graph_run_id, w.due_at
    )
    select array_agg(p.graph_run_id order by p.due_at, p.graph_run_id) filter (where p.due_at <= p_horizon),
           array_agg(p.due_at order by p.due_at, p.graph_run_id) filter (where p.due_at <= p_horizon),
           looked + count(*) filter (where p.due_at > p_horizon)
    into run_ids, deadlines, looked
    from pushed p;
end
$$;
comment on function orchestration._reap_look_runs(timestamptz, integer) is 'Which graph runs are past their time-out.';
