create or replace function orchestration._compile(p_graph_ids bigint[]) returns void
language plpgsql
set search_path = ''
set enable_hashjoin = on
set enable_mergejoin = on
set enable_seqscan = on
set enable_hashagg = on
as $$
-- Purpose: bring the head versions of these graphs up to all committed edits. Graphs without a marker cost one index probe.
--          Markers are deleted in one statement and the chains read in a later one, so a version may hold an edit whose marker stays
--          (then the next start compiles again, to the same), never the other way round.
-- Locks:   one advisory lock a graph, to the end of the transaction; edits take no lock that this needs.
-- Calls:   _compile_references.
-- Writes:  graph_version, graph_version_task, graph_head, graph_root; deletes graph_change.
declare
    v_graph_id bigint;
    v_version_id bigint;
    v_count integer;
begin
    for v_graph_id in
        select distinct c.graph_id from orchestration.graph_change c where c.graph_id = any (p_graph_ids) order by 1
    loop
        perform pg_advisory_xact_lock(hashtextextended('orchestration.compile', v_graph_id));
        delete from orchestration.graph_change c where c.graph_id = v_graph_id;
        continue when not found;
        insert into orchestration.graph_version (graph_id, task_count) values (v_graph_id, 0) returning id into v_version_id;
        with edge as materialized (
            select c.previous_task_id as p, c.next_task_id as n
            from orchestration.graph_chain gc
            join orchestration.chain c on c.id = gc.chain_id
            join orchestration.task_card a on a.task_id = c.previous_task_id and not a.archived
            join orchestration.task_card b on b.task_id = c.next_task_id and not b.archived
            where gc.graph_id = v_graph_id
        ), node as (
            select p as id from edge union select n from edge
        ), incoming as materialized (
            select n as id, array_agg(p order by p) as ids, count(*)::integer as needs from edge group by n
        ), outgoing as (
            select e.p as id, array_agg(e.n order by e.n) as ids, array_agg(i.needs order by e.n) as needs
            from edge e join incoming i on i.id = e.n group by e.p
        )
        insert into orchestration.graph_version_task (version_id, task_id, predecessor_ids, successor_ids, successor_needs, predecessor_count, position)
        select v_version_id, node.id, coalesce(i.ids, '{}'), coalesce(o.ids, '{}'), coalesce(o.needs, '{}'), coalesce(i.needs, 0), row_number() over (order by r.ord, node.id)
        from node left join incoming i on i.id = node.id left join outgoing o on o.id = node.id left join orchestration.task_order r on r.task_id = node.id;
        get diagnostics v_count = row_count;
        update orchestration.graph_version set task_count = v_count where id = v_version_id;
        perform orchestration._compile_references(v_version_id);
        insert into orchestration.graph_head as h (graph_id, version_id) values (v_graph_id, v_version_id)
        on conflict (graph_id) do update set version_id = excluded.version_id;
        delete from orchestration.graph_root r where r.graph_id = v_graph_id;
        insert into orchestration.graph_root (task_id, graph_id, root_count)
        select t.task_id, v_graph_id, count(*) over () from orchestration.graph_version_task t
        where t.version_id = v_version_id and t.predecessor_count = 0
          and exists (select from orchestration.graph g where g.id = v_graph_id and not g.archived);
    end loop;
end
$$;
comment on function orchestration._compile(bigint[]) is 'Compiles the graphs that were edited since their head version.';
