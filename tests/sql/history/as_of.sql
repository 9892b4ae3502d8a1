-- as_of: the state of a run at an instant, told by history.
select plan(7);

select given_acceptance();
select clock('2026-11-22T03:00:00Z'); select say('1', 'SUCCESS');
select clock('2026-11-22T04:00:00Z'); select finish(run('integration'), '2', 'FAILED');
select clock('2026-11-22T05:00:00Z'); select say('5', 'SUCCESS');
create function pg_temp.told(at text) returns text language sql as $$
    select string_agg(concat_ws(' ', coalesce(a.task, 'run'), a.status), ' | ' order by a.task nulls first) from as_of(run('integration'), at::timestamptz) a
$$;
select is(pg_temp.told('2026-11-22T03:30:00Z'), 'run RUNNING | 1 SUCCESS | 2 DISPATCHED | 4 DISPATCHED', 'at half past three');
select is(pg_temp.told('2026-11-22T04:30:00Z'), 'run RUNNING | 1 SUCCESS | 2 FAILED | 4 DISPATCHED', '2 has failed');
select is(pg_temp.told('2026-11-22T05:00:00Z'), 'run RUNNING | 1 SUCCESS | 2 FAILED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS', '5 has come, 3 is started');
select is((select since from as_of(run('integration'), '2026-11-22T05:00:00Z') where task = '2'), '2026-11-22T04:00:00Z'::timestamptz, 'since when');
select refuses($$ select as_of(run('integration'), '2026-11-22T02:00:00Z') $$, 'OR401', 'after that instant', 'before it was opened');
select refuses($$ select as_of(-1, now()) $$, 'OR401', 'graph run -1', 'unknown');
select refuses($$ select as_of(run('integration'), null) $$, 'OR501', 'instant', 'no instant');
