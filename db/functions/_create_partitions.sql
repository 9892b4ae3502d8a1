create or replace function orchestration._create_partitions() returns integer
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: partitions of the record ahead of time: months of history for a year, weeks of event ids for a quarter. Called at apply and by
--          living bridges; one caller at a time, the others pass.
-- Returns: how many were made.
declare
    v_month date := date_trunc('month', orchestration._now() at time zone 'UTC')::date;
    v_week date := date_trunc('week', orchestration._now() at time zone 'UTC')::date;
    v_name text;
    v_made integer := 0;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('orchestration.partitions', 0)) then
        return 0;
    end if;
    for i in -1 .. 12 loop
        v_name := 'task_run_event_' || to_char(v_month + make_interval(months => i), 'YYYY_MM');
        if to_regclass('orchestration.' || v_name) is null then
            execute format('create table orchestration.%I partition of orchestration.task_run_event for values from (%L) to (%L)', v_name,
                           to_char(v_month + make_interval(months => i), 'YYYY-MM-DD') || ' 00:00:00Z', to_char(v_month + make_interval(months => i + 1), 'YYYY-MM-DD') || ' 00:00:00Z');
            execute format('create trigger _100_refuse before update or delete on orchestration.%I for each statement execute function orchestration.tg_record__refuse()', v_name);
            execute format('create trigger _100_refuse_truncate before truncate on orchestration.%I for each statement execute function orchestration.tg_record__refuse()', v_name);
            v_made := v_made + 1;
        end if;
    end loop;
    for i in -2 .. 13 loop
        v_name := 'event_seen_' || to_char(v_week + 7 * i, 'IYYY_"w"IW');
        if to_regclass('orchestration.' || v_name) is null then
            execute format('create table orchestration.%I partition of orchestration.event_seen for values from (%L) to (%L)', v_name,
                           to_char(v_week + 7 * i, 'YYYY-MM-DD') || ' 00:00:00Z', to_char(v_week + 7 * (i + 1), 'YYYY-MM-DD') || ' 00:00:00Z');
            v_made := v_made + 1;
        end if;
    end loop;
    return v_made;
end
$$;
comment on function orchestration._create_partitions() is 'Makes the partitions of the record ahead of time.';
