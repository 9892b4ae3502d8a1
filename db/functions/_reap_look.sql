create or replace function orchestration._reap_look(p_horizon timestamptz, p_until timestamptz, p_limit integer,
    out resend_ids bigint[], out overdue_ids bigint[], out looked integer)
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set timezone = 'UTC'
set orchestration.engine = 'on'
as $$
-- Purpose: task runs in flight whose due_at has come: find the exact instant at which each must be acknowledged or ended, and answer those
--          that are past it. The others get it as their due_at: infinity while their graph is paused, none where they wait for nothing.
--          The time-out counts from the first delivery, RUNNING starts it anew; the wait for an acknowledgement counts from the last
--          delivery, 5 times at most. What stands in the outbox is not delivered yet. Both stand still while the graph of the home run is
--          paused. What is past both is given up, not sent again.
-- Parameters: the horizon; look at what is due until then, at most the horizon; how many.
-- Returns: what must be sent again; what timed out; how many were looked at.
-- Locks:   task_run and graph_run rows, never waiting.
-- Writes:  task_run.due_at.
declare
    v_now timestamptz := orchestration._now();
    v_ids bigint[];
    v_paused bigint[] := '{}'::bigint[];
    v_push_ids bigint[];
    v_push_at timestamptz[];
begin
    v_ids := orchestration._reap_lock(array(
        select t.id from orchestration.task_run t
        where t.status in ('DISPATCHED', 'RUNNING') and t.due_at <= p_until
        order by t.due_at limit p_limit for no key update skip locked));
    looked := cardinality(v_ids);
    if looked = 0 then
        return;
    end if;
    if exists (select from orchestration.graph_pause g where g.resumed_at is null) then
        v_paused := orchestration._paused_graphs(array(select distinct x.graph_run_id from orchestration.task_run x where x.id = any (v_ids)));
    end if;
    with seen as materialized (
        select p.id, p.i, coalesce(r.graph_id = any (v_paused), false) as held, b.unsent, b.since, least(a.patience, t.timeout) as soonest,
               case when t.status = 'DISPATCHED' and not b.unsent and t.accepted_at is null and t.resend_count < 5 and k.dispatch_topic is not null
                    then b.sent_at + a.patience + case when r.graph_id is null then interval '0' else orchestration._stood_still(r.graph_id, b.sent_at, p_horizon) end
                    end as acknowledge_at,
               b.since + t.timeout + case when r.graph_id is null then interval '0' else orchestration._stood_still(r.graph_id, b.since, p_horizon) end as end_at
        from unnest(v_ids) with ordinality p(id, i)
        cross join lateral (select x.task_id, x.graph_run_id, x.status, x.dispatched_at, x.delivered_at, x.resent_at, x.accepted_at, x.started_at, x.timeout, x.ack_timeout, x.resend_count
                            from orchestration.task_run x where x.id = p.id offset 0) t
        cross join lateral (select x.dispatch_topic, x.echoes_ids from orchestration.task_card x where x.task_id = t.task_id offset 0) k
        cross join lateral (select coalesce(t.ack_timeout, case when k.echoes_ids then interval '5 minutes' end) as patience) a
        left join lateral (select x.graph_id from orchestration.graph_run x where x.id = t.graph_run_id offset 0) r on true
        cross join lateral (select t.status = 'DISPATCHED' and exists (select from orchestration.dispatch d where d.task_run_id = p.id) as unsent offset 0) o
        cross join lateral (select o.unsent, coalesce(t.resent_at, t.delivered_at, t.dispatched_at) as sent_at,
                                   case when t.status = 'RUNNING' then t.started_at
                                        when not o.unsent or t.resend_count > 0 then coalesce(t.delivered_at, t.dispatched_at) end as since) b
        offset 0
    ), judged as (
        select s.*, not s.held and coalesce(least(s.acknowledge_at, s.end_at) <= p_until, false) as acts from seen s offset 0
    )
    select array_agg(j.id order by j.i) filter (where j.acts and (j.end_at <= p_until) is not true),
           array_agg(j.id order by j.i) filter (where j.acts and j.end_at <= p_until),
           array_agg(j.id order by j.i) filter (where not j.acts),
           array_agg(case when j.held then 'infinity' when j.unsent then least(v_now + j.soonest, j.end_at) else least(j.acknowledge_at, j.end_at) end order by j.i) filter (where not j.acts)
    into resend_ids, overdue_ids, v_push_ids, v_push_at
    from judged j;
    if v_push_ids is not null then
        update orchestration.task_run t set due_at = v_push_at[array_position(v_push_ids, t.id)] where t.id = any (v_push_ids);
    end if;
end
$$;
comment on function orchestration._reap_look(timestamptz, timestamptz, integer) is 'Which task runs in flight must be sent again, which timed out.';
