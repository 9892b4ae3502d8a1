create or replace function orchestration.tg_chain__order() returns trigger
language plpgsql security definer
set search_path = ''
set enable_hashjoin = on
as $$
-- Purpose: all chains together never form a cycle, also under concurrent inserts: one lock for all writers of chains, held to the end of
--          the transaction, then the order is mended chain by chain where it does not hold yet (most chains need nothing).
-- Raises: OR203, OR206.
-- Writes: task_order, graph_change.
declare
    v_chain record;
begin
    perform orchestration._require_read_committed();
    perform pg_advisory_xact_lock(hashtextextended('orchestration.chain', 0));
    insert into orchestration.task_order (task_id, ord)
    select t.task_id, nextval('orchestration.task_order_up')
    from (select previous_task_id as task_id from changed union select next_task_id from changed order by 1) t
    where not exists (select from orchestration.task_order o where o.task_id = t.task_id)
    on conflict do nothing;
    for v_chain in
        select n.previous_task_id, n.next_task_id
        from changed n
        join orchestration.task_order a on a.task_id = n.previous_task_id
        join orchestration.task_order b on b.task_id = n.next_task_id
        where a.ord >= b.ord
        order by n.id desc
    loop
        perform orchestration._order_chain(v_chain.previous_task_id, v_chain.next_task_id);
    end loop;
    if tg_op = 'UPDATE' then
        insert into orchestration.graph_change (graph_id)
        select distinct gc.graph_id from changed n join orchestration.graph_chain gc on gc.chain_id = n.id;
    end if;
    return null;
end
$$;
comment on function orchestration.tg_chain__order() is 'Keeps all chains acyclic.';
create or replace trigger _500_order after insert on orchestration.chain referencing new table as changed for each statement execute function orchestration.tg_chain__order();
create or replace trigger _500_order_update after update on orchestration.chain referencing new table as changed for each statement execute function orchestration.tg_chain__order();
