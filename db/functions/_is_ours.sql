create or replace function orchestration._is_ours(p_xmin xid) returns boolean
language sql volatile
set search_path = ''
as $$
-- Purpose: whether this transaction, or a subtransaction of it (a block with an exception handler has ids of its own), wrote a row that is
--          visible: what another wrote has been committed.
-- Parameters: the row's xmin, 32 bits; the half that is missing is that of the nearest id to the transaction's own.
    select case when p_xmin = pg_current_xact_id()::xid then true
                else coalesce(pg_xact_status((x.id + case when x.id > x.top + 2147483648 then -4294967296 when x.id < x.top - 2147483648 then 4294967296 else 0 end)::text::xid8) = 'in progress', false) end
    from (select t.top, t.top - t.top % 4294967296 + p_xmin::text::bigint as id
          from (select pg_current_xact_id()::text::bigint as top) t) x
$$;
comment on function orchestration._is_ours(xid) is 'Whether this transaction, or a part of it that could have been rolled back, wrote a visible row.';
