-- SPEC 2, service: the name is unique and usable; a dispatch topic is a Kafka topic name; refusals name the object.
select plan(12);

select lives_ok($$ insert into service (name) values ('nifi') $$, 'a service needs a name only');
select refuses($$ insert into service (name) values ('nifi') $$, 'OR102', '"nifi"', 'a second service of that name');
select refuses($$ insert into service (name) values ('') $$, 'OR101', 'service name ""', 'an empty name');
select refuses($$ insert into service (name) values (null) $$, 'OR101', 'service name null', 'no name');
select refuses($$ insert into service (name) values (E'ni\tfi') $$, 'OR101', 'service name', 'a control character in the name');
select refuses($$ insert into service (name) values (E'nifi\x7f') $$, 'OR101', 'service name', 'DEL is a control character');
select lives_ok($$ insert into service (name) values (repeat('ж', 250)) $$, '250 characters are allowed, whatever their bytes');
select refuses($$ insert into service (name) values (repeat('n', 251)) $$, 'OR101', 'service name', '251 are not');
select refuses($$ insert into service (name, dispatch_topic) values ('x', 'no topic') $$, 'OR101', '"no topic" of service "x"', 'a topic name that Kafka refuses');
select lives_ok($$ insert into service (name, dispatch_topic) values ('airflow', 'airflow_tasks') $$, 'a topic');
select refuses($$ update service set name = 'nifi' where name = 'airflow' $$, 'OR102', '"nifi"', 'renaming to a taken name');
select is((select (echoes_ids, corrections, archived, dispatch_topic)::text from service where name = 'nifi'), '(f,t,f,)',
          'defaults: no echo, corrections on, not archived, only reports');
