create or replace function orchestration._compile_references(p_version_id bigint) returns void
language plpgsql
set search_path = ''
set jit = off
as $$
-- Purpose: for the tasks of a version whose config templates read results of tasks that are not their direct predecessors: do those come
--          before them? In topological order each task inherits, as bits, which of the tasks read come before it: linear in chains and
--          tasks, for 1,024 tasks read at a time. More than 16,384 are left to be computed when they are read.
-- Writes:  graph_version_reference.
declare
    v_read bigint[];
    v_chunk bigint[];
    v_reach bit varying[];           -- by position: which of the chunk come before the task or are it
    v_bits bit varying;
    v_row record;
    v_task_ids bigint[] := '{}'::bigint[];
    v_ancestor_ids bigint[] := '{}'::bigint[];
    v_answers boolean[] := '{}'::boolean[];
begin
    if not exists (select from orchestration.task_placeholder h where h.upstream <> '{}') then
        return;
    end if;
    select array_agg(distinct a.id) into v_read
    from orchestration.task_placeholder h
    join orchestration.graph_version_task v on v.version_id = p_version_id and v.task_id = h.task_id
    cross join unnest(h.upstream) u(name)
    join orchestration.task a on a.name = u.name
    where h.upstream <> '{}' and not a.id = any (v.predecessor_ids);
    if v_read is null or cardinality(v_read) > 16384 then
        return;
    end if;
    for k in 0 .. (cardinality(v_read) - 1) / 1024 loop
        v_chunk := v_read[k * 1024 + 1:(k + 1) * 1024];
        v_reach := '{}';
        for v_row in
            with reader as materialized (
                select h.task_id, array_agg(distinct c.i::integer) as asks
                from orchestration.task_placeholder h cross join unnest(h.upstream) u(name)
                join orchestration.task a on a.name = u.name
                join unnest(v_chunk) with ordinality c(task_id, i) on c.task_id = a.id
                where h.upstream <> '{}'
                group by h.task_id
            ), edge as materialized (
                select v.task_id, array_agg(q.position) as positions
                from orchestration.graph_version_task v cross join unnest(v.predecessor_ids) p(task_id)
                join orchestration.graph_version_task q on q.version_id = p_version_id and q.task_id = p.task_id
                where v.version_id = p_version_id
                group by v.task_id
            )
            select v.position, v.task_id, e.positions, c.i::integer as own, r.asks
            from orchestration.graph_version_task v
            left join edge e on e.task_id = v.task_id
            left join unnest(v_chunk) with ordinality c(task_id, i) on c.task_id = v.task_id
            left join reader r on r.task_id = v.task_id
            where v.version_id = p_version_id
            order by v.position
        loop
            v_bits := repeat('0', cardinality(v_chunk))::bit varying;
            for n in 1 .. coalesce(cardinality(v_row.positions), 0) loop
                v_bits := v_bits | v_reach[v_row.positions[n]];
            end loop;
            for n in 1 .. coalesce(cardinality(v_row.asks), 0) loop
                v_task_ids := v_task_ids || v_row.task_id;
                v_ancestor_ids := v_ancestor_ids || v_chunk[v_row.asks[n]];
                v_answers := v_answers || (get_bit(v_bits, v_row.asks[n] - 1) = 1);
            end loop;
            v_reach[v_row.position] := case when v_row.own is null then v_bits else set_bit(v_bits, v_row.own - 1, 1) end;
        end loop;
    end loop;
    insert into orchestration.graph_version_reference (version_id, task_id, ancestor_id, is_ancestor)
    select p_version_id, x.task_id, x.ancestor_id, x.is_ancestor from unnest(v_task_ids, v_ancestor_ids, v_answers) x(task_id, ancestor_id, is_ancestor);
end
$$;
comment on function orchestration._compile_references(bigint) is 'Which tasks that config templates read come before their readers in a version.';
