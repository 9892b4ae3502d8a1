-- SPEC 2, process: (service, uid) is unique; the service exists; what is in use is not deleted.
select plan(9);

select given_service('nifi'), given_service('airflow', 'airflow_tasks');
select lives_ok($$ insert into process (service_id, uid) select id, 'load_stg' from service where name = 'nifi' $$, 'a process');
select lives_ok($$ insert into process (service_id, uid) select id, 'load_stg' from service where name = 'airflow' $$, 'the same uid at another service');
select refuses($$ insert into process (service_id, uid) select id, 'load_stg' from service where name = 'nifi' $$, 'OR102', 'process "load_stg" of service', 'the same uid again');
select refuses($$ insert into process (service_id, uid) values (-1, 'x') $$, 'OR107', 'process "x" names service -1', 'a service that is not there');
select refuses($$ insert into process (service_id, uid) values (null, 'x') $$, 'OR107', 'process "x" names service null', 'no service');
select refuses($$ insert into process (service_id, uid) select id, '' from service where name = 'nifi' $$, 'OR101', 'process uid ""', 'an empty uid');
select refuses($$ insert into process (service_id, uid) select id, repeat('u', 251) from service where name = 'nifi' $$, 'OR101', 'process uid', 'a uid of 251 characters');
select refuses($$ delete from service where name = 'nifi' $$, 'OR103', 'service .* is used by process "load_stg"', 'a service with a process is not deleted; its user is named');
select lives_ok($$ delete from process where uid = 'load_stg'; delete from service where name = 'nifi' $$, 'unused ones are');
