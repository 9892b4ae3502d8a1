-- SPEC 2, chain: after many random inserts, one by one and many at once, updates and deletes: a chain was refused exactly where it would
-- have closed a cycle (by a plain recursive search), and ord(previous) < ord(next) for every chain.
select plan(6);

create function pg_temp.reaches(origin bigint, target bigint) returns boolean language sql as $$
    with recursive walk(id) as (select origin union select c.next_task_id from walk w join orchestration.chain c on c.previous_task_id = w.id)
    select exists (select from walk where id = target)
$$;
create function pg_temp.disordered() returns bigint language sql as $$
    select count(*) from orchestration.chain c
    left join orchestration.task_order p on p.task_id = c.previous_task_id left join orchestration.task_order n on n.task_id = c.next_task_id
    where (p.ord < n.ord) is not true
$$;
create temp table tally (kept integer default 0, refused integer default 0, wrong integer default 0, disorder bigint default 0, cyclic integer default 0);
insert into tally default values;
select setseed(0.42);
create temp table node as select i, tap.given_task('n' || i) as id from generate_series(1, 40) i;

do $$
declare
    a bigint; b bigint; v_cycle boolean;
begin
    for step in 1 .. 700 loop
        select id into a from node order by random() limit 1;
        select id into b from node where id <> a order by random() limit 1;
        continue when exists (select from orchestration.chain where previous_task_id = a and next_task_id = b);
        v_cycle := pg_temp.reaches(b, a);
        begin
            insert into orchestration.chain (previous_task_id, next_task_id) values (a, b);
            update tally set kept = kept + 1, wrong = wrong + v_cycle::int;
        exception when sqlstate 'OR203' then
            update tally set refused = refused + 1, wrong = wrong + (not v_cycle)::int;
        end;
        if step % 9 = 0 then
            delete from orchestration.chain where id = (select id from orchestration.chain order by random() limit 1);
        elsif step % 7 = 0 then
            begin
                update orchestration.chain set previous_task_id = next_task_id, next_task_id = previous_task_id
                where id = (select id from orchestration.chain order by random() limit 1);
            exception when sqlstate 'OR202' or sqlstate 'OR203' then
                null;
            end;
        end if;
        update tally set disorder = disorder + pg_temp.disordered();
    end loop;
end
$$;
select cmp_ok((select kept from tally), '>', 100, 'chains were kept');
select cmp_ok((select refused from tally), '>', 50, 'and refused');
select is((select wrong from tally), 0, 'refused exactly where a cycle would be closed');
select is((select disorder from tally), 0::bigint, 'after each step the order holds for every chain');

-- many at once: a random order of tasks gives an acyclic set, inserted in random order in one statement
do $$
begin
    for round in 1 .. 20 loop
        delete from orchestration.chain;
        create temp table rank on commit drop as select id, row_number() over (order by random()) as r from node;
        for part in 0 .. 2 loop
            insert into orchestration.chain (previous_task_id, next_task_id)
            select p.id, n.id from rank p join rank n on p.r < n.r where (p.id * 31 + n.id * 17 + round) % 13 = part order by random();
            update tally set disorder = disorder + pg_temp.disordered();
        end loop;
        begin
            -- one edge back, among good ones, closes a cycle
            insert into orchestration.chain (previous_task_id, next_task_id)
            select x.a, x.b from (select p.id as a, n.id as b, 1 as k from rank p join rank n on p.r < n.r where (p.id * 31 + n.id * 17 + round) % 13 = 3
                                  union all
                                  select n.next_task_id, n.previous_task_id, 2 from (select * from orchestration.chain order by random() limit 1) n) x order by random();
            update tally set cyclic = cyclic + 1;
        exception when sqlstate 'OR203' then
            null;
        end;
        drop table rank;
    end loop;
end
$$;
select is((select cyclic from tally), 0, 'one bad chain among many refuses the statement');
select is((select disorder from tally) + pg_temp.disordered(), 0::bigint, 'the order holds after every set');
