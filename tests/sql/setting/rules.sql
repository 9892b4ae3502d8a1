-- SPEC 2 and 3: settings are rules of the database too: a value that is no interval would stop every event.
select plan(8);

select is((select string_agg(name || ' ' || value, ', ' order by name) from setting where name in ('event_memory', 'bridge_silence', 'dead_letter_retention')), 'bridge_silence 10 seconds, dead_letter_retention 90 days, event_memory 14 days', 'defaults');
select refuses($$ update setting set value = 'a fortnight' where name = 'event_memory' $$, 'OR\d+', 'event_memory', 'no interval');
select refuses($$ update setting set value = '' where name = 'event_memory' $$, 'OR\d+', 'event_memory', 'nothing');
select refuses($$ update setting set value = '-1 day' where name = 'bridge_silence' $$, 'OR\d+', 'bridge_silence', 'less than nothing');
select refuses($$ delete from setting where name = 'event_memory' $$, 'OR\d+', 'event_memory', 'a setting that the engine reads is not deleted');
select lives_ok($$ update setting set value = '2 hours' where name = 'event_memory' $$, 'another interval');
select is((select count(*)::int from setting where meaning = ''), 0, 'each says what it means');
select given_task('t');
select is(task_of(say('t', 'SUCCESS', event_id => 'e')), 't', 'events are taken in');
