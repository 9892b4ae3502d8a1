-- SPEC 2, task_run_event: UPDATE, DELETE, TRUNCATE refused to every role, only `purge` removes; its partitions directly as well.
select plan(41);

select given_graph('g', 'a -> b');
select launch_graph('g');
create temp table mine as select tableoid::regclass::text as partition, id from task_run_event limit 1;
grant select on mine to public;
create temp table try as
select r.role, t.target, s.statement, format(s.statement, t.target) as command
from (values (session_user::text), ('orchestration_owner'), ('orchestration_app'), ('orchestration_reader')) r(role),
     (select 'orchestration.task_run_event' as target union all select partition from mine) t,
     (values ('update %s set reason = ''forged'''), ('delete from %s'), ('truncate %s'), ('update %s set reason = ''forged'' where false')) s(statement);
select refuses(format('select as_role(%L, %L)', role, command), case when role in ('orchestration_app', 'orchestration_reader') then '42501' else 'OR305' end,
               case when role in ('orchestration_app', 'orchestration_reader') then 'permission denied' else 'task_run_event' end, role || ': ' || command)
from try order by role, target, statement;
select isnt((select count(*)::int from task_run_event), 0, 'the rows are there');
select is((select count(*)::int from task_run_event where reason = 'forged'), 0, 'as they were');
-- who may write
select refuses($$ select as_role('orchestration_app', 'insert into orchestration.task_run_event (at, source) values (now(), ''sql'')') $$, '42501', 'permission denied', 'the application writes no history by hand');
select refuses($$ insert into task_run_event (at, source) values (now(), 'gossip') $$, '23514', 'task_run_event_source_is_known', 'an unknown source is refused');
-- a setting opens nothing
set local orchestration.purge = 'on';
set local orchestration.engine = 'on';
select refuses($$ delete from task_run_event $$, 'OR305', 'task_run_event', 'the setting that purge uses does not open it to a superuser');
select refuses($$ select as_role('orchestration_owner', 'delete from orchestration.task_run_event') $$, 'OR305', 'task_run_event', 'nor to its owner');
select refuses($$ update task_run_event set reason = 'forged' $$, 'OR305', 'task_run_event', 'nor for UPDATE');
set local orchestration.purge = '';
set local orchestration.engine = '';
-- every partition has the guard
select is((select array_agg(c.relname::text) from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'task_run_event'::regclass
           and (select count(*) from pg_trigger t where t.tgrelid = c.oid and t.tgfoid = 'tg_record__refuse'::regproc and t.tgenabled <> 'D') < 2), null, 'every partition refuses by itself');
select cmp_ok((select count(*)::int from pg_inherits where inhparent = 'task_run_event'::regclass), '>=', 12, 'a year of partitions ahead');
