create or replace function orchestration._ensure_partitions() returns void
language plpgsql
set search_path = ''
as $$
-- Purpose: the record takes rows at any time: where no bridge lived for months, the first writer makes the partitions.
-- Calls:   _create_partitions.
begin
    if orchestration._now() >= (select s.value::timestamptz from orchestration.setting s where s.name = 'record_ready_until') then
        perform orchestration._create_partitions();
    end if;
end
$$;
comment on function orchestration._ensure_partitions() is 'Makes partitions of the record where they are about to run out.';
