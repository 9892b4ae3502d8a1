create or replace function orchestration._order_chain(p_previous bigint, p_next bigint) returns void
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
-- Purpose: make room for one chain in the topological order, or find the cycle it would close (Pearce and Kelly, "A Dynamic Topological
--          Sort Algorithm for Directed Acyclic Graphs", 2006). The caller holds the chain lock. Chains not yet in order are not walked.
-- Raises: OR203, naming the path.
-- Writes: task_order.
declare
    v_low bigint;
    v_high bigint;
    v_after bigint[];
    v_before bigint[];
    v_slots bigint[];
    v_path text;
    v_few constant integer := 100;
    v_task bigint;
begin
    select ord into v_high from orchestration.task_order where task_id = p_previous;
    select ord into v_low from orchestration.task_order where task_id = p_next;
    if v_high < v_low then
        return;
    end if;
    -- few tasks before the previous one may go before everything with it, few behind the next one behind everything: nothing else moves,
    -- however long the paths are on the other side
    v_before := array(
        with recursive reach(task_id) as (
            select p_previous
            union
            select c.previous_task_id from reach r join orchestration.chain c on c.next_task_id = r.task_id
        )
        select r.task_id from reach r limit v_few + 1);
    if cardinality(v_before) <= v_few and not p_next = any (v_before) then
        for v_task in select o.task_id from orchestration.task_order o where o.task_id = any (v_before) order by o.ord desc loop
            update orchestration.task_order o set ord = nextval('orchestration.task_order_down') where o.task_id = v_task;
        end loop;
        return;
    end if;
    v_after := array(
        with recursive reach(task_id) as (
            select p_next
            union
            select c.next_task_id from reach r join orchestration.chain c on c.previous_task_id = r.task_id
        )
        select r.task_id from reach r limit v_few + 1);
    if cardinality(v_after) <= v_few and not p_previous = any (v_after) then
        for v_task in select o.task_id from orchestration.task_order o where o.task_id = any (v_after) order by o.ord loop
            update orchestration.task_order o set ord = nextval('orchestration.task_order_up') where o.task_id = v_task;
        end loop;
        return;
    end if;
    with recursive reach(task_id) as (
        select p_next
        union
        select c.next_task_id
        from reach r
        join orchestration.task_order f on f.task_id = r.task_id
        join orchestration.chain c on c.previous_task_id = r.task_id
        join orchestration.task_order o on o.task_id = c.next_task_id
        where o.ord > f.ord and o.ord <= v_high
    )
    select array_agg(r.task_id order by o.ord) into v_after from reach r join orchestration.task_order o on o.task_id = r.task_id;
    if p_previous = any (v_after) then
        with recursive walk(task_id, path) as (
            select p_next, array[p_next]
            union all
            (select c.next_task_id, w.path || c.next_task_id
             from walk w join orchestration.chain c on c.previous_task_id = w.task_id
             where c.next_task_id = any (v_after) and not c.next_task_id = any (w.path) and cardinality(w.path) < 50)
        )
        select string_agg(t.name, ' -> ' order by p.i) into v_path
        from (select path from walk where task_id = p_previous limit 1) found, unnest(found.path) with ordinality p(task_id, i)
        join orchestration.task t on t.id = p.task_id;
        perform orchestration._refuse('OR203', format('chain %s -> %s would close a cycle: %s',
                (select to_json(name) from orchestration.task where id = p_previous), (select to_json(name) from orchestration.task where id = p_next),
                coalesce(v_path || ' -> ' || (select name from orchestration.task where id = p_next), 'over more than 50 tasks')),
            'Remove a chain of that path, or turn this one round.');
    end if;
    with recursive reach(task_id) as (
        select p_previous
        union
        select c.previous_task_id
        from reach r
        join orchestration.task_order f on f.task_id = r.task_id
        join orchestration.chain c on c.next_task_id = r.task_id
        join orchestration.task_order o on o.task_id = c.previous_task_id
        where o.ord < f.ord and o.ord >= v_low
    )
    select array_agg(r.task_id order by o.ord) into v_before from reach r join orchestration.task_order o on o.task_id = r.task_id;
    select array_agg(o.ord order by o.ord) into v_slots from orchestration.task_order o where o.task_id = any (v_before || v_after);
    update orchestration.task_order o set ord = v_slots[n.i]
    from unnest(v_before || v_after) with ordinality n(task_id, i)
    where o.task_id = n.task_id;
end
$$;
comment on function orchestration._order_chain(bigint, bigint) is 'Keeps task_order topological for one new chain; refuses (OR203) a cycle.';
