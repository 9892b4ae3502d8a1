create or replace function orchestration._paused_graphs(p_run_ids bigint[]) returns bigint[]
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
-- Purpose: which graphs of these graph runs are paused now, and stay so until this transaction ends: a resume waits for those who saw the
--          pause, so that it finds what they leave to it. A graph that is being resumed this instant counts as resumed: nobody waits for it.
-- Locks:   graph_pause rows, shared, never waiting.
declare
    v_graphs bigint[] := array(
        select distinct r.graph_id
        from unnest(p_run_ids) p(id) cross join lateral (select x.graph_id from orchestration.graph_run x where x.id = p.id offset 0) r);
begin
    return array(select g.graph_id from orchestration.graph_pause g where g.resumed_at is null and g.graph_id = any (v_graphs) for share skip locked);
end
$$;
comment on function orchestration._paused_graphs(bigint[]) is 'Which graphs of these runs are paused; a resume waits for who asked.';
