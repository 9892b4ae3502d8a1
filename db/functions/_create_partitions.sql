create or replace function orchestration._create_partitions() returns integer
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: partitions of the record ahead of time: months of history for a year, weeks of event ids for a quarter. Made as tables and
--          attached, which locks no writer out. Called at apply, by living bridges, and by _ensure_partitions where nobody did.
-- Returns: how many were made.
-- Writes:  tables; setting record_ready_until.
declare
    v_month date := date_trunc('month', orchestration._now() at time zone 'UTC')::date;
    v_week date := date_trunc('week', orchestration._now() at time zone 'UTC')::date;
    v_part record;
    v_made integer := 0;
begin
    perform pg_advisory_xact_lock(hashtextextended('orchestration.partitions', 0));
    for v_part in
        select 'task_run_event' as parent, 'task_run_event_' || to_char(d.from_day, 'YYYY_MM') as name, d.from_day, (d.from_day + interval '1 month')::date as to_day
        from (select (v_month + make_interval(months => i))::date as from_day from generate_series(-1, 12) i) d
        union all
        select 'event_seen', 'event_seen_' || to_char(v_week + 7 * i, 'IYYY_"w"IW'), v_week + 7 * i, v_week + 7 * (i + 1)
        from generate_series(-2, 13) i
    loop
        continue when to_regclass('orchestration.' || v_part.name) is not null;
        execute format('create table orchestration.%I (like orchestration.%I including defaults including constraints including indexes)', v_part.name, v_part.parent);
        if v_part.parent = 'task_run_event' then
            execute format('create trigger _100_refuse before update or delete on orchestration.%I for each statement execute function orchestration.tg_record__refuse()', v_part.name);
            execute format('create trigger _100_refuse_truncate before truncate on orchestration.%I for each statement execute function orchestration.tg_record__refuse()', v_part.name);
        end if;
        execute format('alter table orchestration.%I attach partition orchestration.%I for values from (%L) to (%L)', v_part.parent, v_part.name,
                       to_char(v_part.from_day, 'YYYY-MM-DD') || ' 00:00:00Z', to_char(v_part.to_day, 'YYYY-MM-DD') || ' 00:00:00Z');
        v_made := v_made + 1;
    end loop;
    update orchestration.setting set value = to_char(v_week + 7 * 10, 'YYYY-MM-DD') || ' 00:00:00Z' where name = 'record_ready_until';
    return v_made;
end
$$;
comment on function orchestration._create_partitions() is 'Makes the partitions of the record ahead of time.';
