-- SPEC 4.1: a batch has exactly the result of its events one by one in offset order. Lists in which the order matters.
select plan(16);

select given_acceptance(), given_graph('integration', '4 -> 6'), given_graph('line', '6 -> 7 -> [8, 9]');
create temp table bridge as select given_topic() as id;
create function pg_temp.outcome(batch boolean, words text[]) returns text language plpgsql as $$
-- What a list of events ('1 SUCCESS k x1': task, status, key or -, external id) leads to; undone.
declare
    v_events jsonb[] := array(
        select jsonb_strip_nulls(jsonb_build_object('service', case when w[1] in ('1', '5') then 'nifi' else 'airflow' end, 'process', 'p_' || w[1], 'status', w[2],
                                                    'run_key', nullif(w[3], '-'), 'external_id', w[4], 'event_id', w[5]))
        from unnest(words) with ordinality x(word, i), string_to_array(x.word, ' ') w order by i);
begin
    if batch then
        perform tap.feed((select id from bridge), variadic v_events);
    else
        for i in 1 .. cardinality(v_events) loop
            perform tap.feed((select id from bridge), v_events[i]);
        end loop;
    end if;
    raise exception using errcode = 'XX999', message = concat_ws(E'\n', tap.pictures('integration'), tap.pictures('line'), tap.letters());
exception
    when sqlstate 'XX999' then
        return sqlerrm;
    when others then
        return sqlstate || ' ' || sqlerrm;
end
$$;
create temp table list (n serial, what text, words text[]);
insert into list (what, words) values
    ('a repeat', array['1 SUCCESS', '1 SUCCESS', '5 SUCCESS', '5 SUCCESS']),
    ('a repeat with key', array['1 SUCCESS k', '5 SUCCESS k', '1 SUCCESS k', '5 SUCCESS k']),
    ('a chain of completions', array['6 SUCCESS', '7 SUCCESS', '8 SUCCESS', '9 SUCCESS']),
    ('a crossing', array['1 SUCCESS', '4 SUCCESS', '6 SUCCESS', '7 SUCCESS']),
    ('RUNNING, another root, and the end', array['1 FAILED', '1 RUNNING', '5 FAILED', '1 SUCCESS']),
    ('RUNNING, another root, and the end with external id', array['1 FAILED - x0', '1 RUNNING - x1', '5 FAILED - x2', '1 SUCCESS - x1']),
    ('a partial run opened by the end of what was RUNNING', array['4 RUNNING - x1', '4 SUCCESS - x1', '6 SUCCESS', '7 SUCCESS']),
    ('a partial run and an event of what it starts', array['7 SUCCESS - x1', '8 SUCCESS', '9 SUCCESS']),
    ('two executions, ends crossed', array['6 RUNNING - x1', '6 RUNNING - x2', '6 SUCCESS - x2', '6 FAILED - x1', '7 SUCCESS']),
    ('the same event id around another event', array['6 SUCCESS - x1 e1', '6 SUCCESS - x2 e2', '6 SUCCESS - x1 e1', '7 SUCCESS', '7 SUCCESS']),
    ('a failed root, then its success', array['1 FAILED k', '1 SUCCESS k', '5 SUCCESS k', '4 SUCCESS k']),
    ('a take-over between two ends', array['1 SUCCESS', '4 SUCCESS', '1 SUCCESS', '4 SUCCESS', '6 SUCCESS', '6 SUCCESS']),
    ('unexpected, then expected', array['7 SUCCESS', '6 SUCCESS', '7 SUCCESS']),
    ('two keys, interleaved', array['1 SUCCESS k', '1 SUCCESS l', '5 SUCCESS l', '5 SUCCESS k', '4 SUCCESS l', '4 SUCCESS k', '6 SUCCESS', '6 SUCCESS l']);
select is(pg_temp.outcome(true, words), pg_temp.outcome(false, words), what) from list order by n;
-- what some of them are
select is(pg_temp.outcome(true, array['1 SUCCESS', '1 SUCCESS', '5 SUCCESS', '5 SUCCESS']),
          E'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 SKIPPED | 4 DISPATCHED | 5 SKIPPED | 6 SKIPPED\nRUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS | 6 -\nRUNNING | 1 awaited | 2 - | 3 - | 4 - | 5 SUCCESS | 6 -\nnone',
          'the row `latest` in one batch');
select is(pg_temp.outcome(true, array['6 SUCCESS', '7 SUCCESS', '8 SUCCESS', '9 FAILED']), E'FAILED | 6 SUCCESS | 7 SUCCESS | 8 SUCCESS | 9 FAILED\nnone', 'a whole run in one batch');
