create or replace function orchestration._lock_groups(p_graph_ids bigint[], p_run_keys text[]) returns void
language plpgsql
set search_path = ''
as $$
-- Purpose: placing is serialised per (graph, run key): take these locks in one order, to the end of the transaction. More than 2,000 at
--          once would fill the lock table: then one lock for all is taken instead.
declare
    v_count integer := (select count(*) from (select distinct g, k from unnest(p_graph_ids, p_run_keys) p(g, k)) d);
begin
    if v_count > 2000 then
        perform pg_advisory_xact_lock(hashtextextended('orchestration.place', 0));
    elsif v_count > 0 then
        perform pg_advisory_xact_lock_shared(hashtextextended('orchestration.place', 0));
        perform pg_advisory_xact_lock(d.h)
        from (select distinct hashtextextended(coalesce('k' || k, ''), g) as h from unnest(p_graph_ids, p_run_keys) p(g, k) order by 1) d;
    end if;
end
$$;
comment on function orchestration._lock_groups(bigint[], text[]) is 'Serialises placing per (graph, run key).';
