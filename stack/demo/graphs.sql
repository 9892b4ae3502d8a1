-- The acceptance graphs, as a DBA would write them: plain inserts; the rules are the database's own.
--
--   integration   1 -> 2,  [1, 5] -> 3,  1 -> 4,  4 -> 6
--   load          6 -> 7 -> [8, 9]
--
-- 6 ends a branch of the first graph and is the root of the second: its success starts the second one.

insert into orchestration.service (name, dispatch_topic, echoes_ids)
values ('nifi', null, false),               -- only reports: nothing can be sent to it
       ('airflow', 'airflow_tasks', true);  -- takes dispatches, and its events name their task_run_id

insert into orchestration.process (service_id, uid)
select s.id, p.uid
  from (values ('nifi', 'pg_1'), ('nifi', 'pg_5'),
               ('airflow', 'dag_2'), ('airflow', 'dag_3'), ('airflow', 'dag_4'), ('airflow', 'dag_6'),
               ('airflow', 'dag_7'), ('airflow', 'dag_8'), ('airflow', 'dag_9')) p (service, uid)
  join orchestration.service s on s.name = p.service;

insert into orchestration.task (process_id, name, config_template)
select p.id, split_part(p.uid, '_', 2), jsonb_build_object('table', 'demo_' || split_part(p.uid, '_', 2))
  from orchestration.process p
 where p.uid ~ '^(pg|dag)_[1-9]$'
 order by 2;

insert into orchestration.graph (name, owner, labels)
values ('integration', 'demo', '{"demo": true}'),
       ('load', 'demo', '{"demo": true}');

insert into orchestration.chain (previous_task_id, next_task_id)
select p.id, n.id
  from (values ('1', '2'), ('1', '3'), ('5', '3'), ('1', '4'), ('4', '6'), ('6', '7'), ('7', '8'), ('7', '9')) e (previous, next)
  join orchestration.task p on p.name = e.previous
  join orchestration.task n on n.name = e.next;

-- a chain in no graph starts nothing: each belongs to one
insert into orchestration.graph_chain (graph_id, chain_id)
select g.id, c.id
  from orchestration.chain c
  join orchestration.task p on p.id = c.previous_task_id
  join orchestration.graph g on g.name = case when p.name in ('1', '4', '5') then 'integration' else 'load' end;
