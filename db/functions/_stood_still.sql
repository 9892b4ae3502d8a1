create or replace function orchestration._stood_still(p_graph_id bigint, p_from timestamptz, p_to timestamptz) returns interval
language sql stable
set search_path = ''
as $$
    -- Purpose: for how long a graph's clocks stood still between two instants: the time it was paused. 0 for no graph.
    select coalesce(sum(least(coalesce(p.resumed_at, p_to), p_to) - greatest(p.paused_at, p_from)), interval '0')
    from orchestration.graph_pause p
    where p.graph_id = p_graph_id and p.paused_at < p_to and (p.resumed_at is null or p.resumed_at > p_from)
$$;
comment on function orchestration._stood_still(bigint, timestamptz, timestamptz) is 'How long a graph was paused between two instants.';
