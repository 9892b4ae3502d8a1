-- Moves the batch that conf names from stg.sales to ods.sales and ods.sales_reject: two statements, one transaction.
-- Parameter: conf, the DAG run's, as JSON: {"batch_id", "business_date", "rows" (optional, checked)}.
-- Answers: one row, one JSON object: what was read, and what became of it; the parts add up to `read`.
-- Run again it changes nothing. It raises what stg.check_batch raises, and then nothing has changed either.

-- one batch at a time, so that what is counted is what is done; readers go on
lock table ods.sales in share row exclusive mode;

with batch as materialized (
    select * from stg.check_batch(%(conf)s::jsonb)
), parsed as materialized (
    select s.*, p.*
      from batch join stg.sales s using (batch_id)
     cross join lateral (
        select case when btrim(s.sale_id) ~ '^\d{1,18}$' then s.sale_id::bigint end as key,
               stg.instant(btrim(s.sold_at)) as sold,
               nullif(btrim(s.customer), '') as buyer,
               case when btrim(s.amount) ~ '^[+-]?\d{1,15}(\.\d{1,10})?$' then s.amount::numeric end as price
     ) p
), judged as materialized (
    select *,
           nullif(concat_ws('; ',
               case when nullif(btrim(sale_id), '') is null then 'sale_id is missing'
                    when key is null then 'sale_id is no number: ' || left(sale_id, 100) end,
               case when nullif(btrim(sold_at), '') is null then 'sold_at is missing'
                    when sold is null then 'sold_at is no instant: ' || left(sold_at, 100) end,
               case when buyer is null then 'customer is missing' end,
               case when nullif(btrim(amount), '') is null then 'amount is missing'
                    when price is null then 'amount is no number: ' || left(amount, 100)
                    when price < 0 then 'amount is negative: ' || left(amount, 100) end), '') as reason
      from parsed
), newest as materialized (
    select distinct on (key) *
      from judged
     where reason is null
     order by key, sold desc, loaded_at desc, row_number desc
), compared as materialized (
    select n.*,
           case when o.sale_id is null then 'inserted'
                when (o.sold_at, o.customer, o.amount, o.business_date) = (n.sold, n.buyer, n.price, n.business_date) then 'unchanged'
                when (n.sold, n.loaded_at, n.batch_id) >= (o.sold_at, o.loaded_at, o.batch_id) then 'updated'
                else 'late' end as outcome,
           -- also what says the same, so that the order in which batches are moved does not matter
           o.sale_id is null or (n.sold, n.loaded_at, n.batch_id) > (o.sold_at, o.loaded_at, o.batch_id) as is_newer
      from newest n left join ods.sales o on o.sale_id = n.key
), written as (
    insert into ods.sales as o (sale_id, batch_id, business_date, sold_at, customer, amount, loaded_at)
    select key, batch_id, business_date, sold, buyer, price, loaded_at
      from compared
     where is_newer or outcome = 'updated'
    on conflict (sale_id) do update
       set (batch_id, business_date, sold_at, customer, amount, loaded_at)
           = row(excluded.batch_id, excluded.business_date, excluded.sold_at, excluded.customer, excluded.amount, excluded.loaded_at),
           updated_at = now()
), forgiven as (
    delete from ods.sales_reject r
     using batch b
     where r.batch_id = b.batch_id
       and r.row_number not in (select j.row_number from judged j where j.reason is not null)
), rejected as (
    insert into ods.sales_reject as r (batch_id, row_number, "row", reason)
    select s.batch_id, s.row_number, to_jsonb(s), j.reason
      from judged j join stg.sales s using (batch_id, row_number)
     where j.reason is not null
    on conflict (batch_id, row_number) do update
       set "row" = excluded."row", reason = excluded.reason, rejected_at = now()
     where (r."row", r.reason) is distinct from (excluded."row", excluded.reason)
), outcome as (
    select count(*) filter (where outcome = 'inserted') as inserted,
           count(*) filter (where outcome = 'updated') as updated,
           count(*) filter (where outcome = 'unchanged') as unchanged,
           count(*) filter (where outcome = 'late') as late,
           count(*) as newest
      from compared
), verdict as (
    select count(*) as total, count(*) filter (where reason is not null) as rejected from judged
)
select jsonb_build_object(
           'batch_id', b.batch_id, 'business_date', b.business_date,
           'read', v.total, 'inserted', o.inserted, 'updated', o.updated, 'unchanged', o.unchanged, 'late', o.late,
           'duplicates', v.total - v.rejected - o.newest, 'rejected', v.rejected)
  from batch b, outcome o, verdict v;
