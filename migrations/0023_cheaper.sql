-- What costs more than it has to.

-- As in 0001, several times as fast: plpgsql keeps its plan, where a function in sql that cannot be put into the statement is
-- parsed and planned at every call. An answer takes three ids.
create or replace function uuid7() returns uuid language plpgsql volatile parallel safe as $$
declare
    micros constant bigint := (extract(epoch from clock_timestamp()) * 1000000)::bigint;
begin
    return (lpad(to_hex(micros / 1000), 12, '0')
         || to_hex(28672 + (micros % 1000) * 4096 / 1000)
         || right(replace(gen_random_uuid()::text, '-', ''), 16))::uuid;
end
$$;

-- Of the words of messages no statistics are kept: `analyze` would take the words out of 30,000 messages each time, and
-- searching goes by these indexes whatever they say.
create function keep_no_word_statistics(partition regclass) returns void language plpgsql as $$
declare
    one regclass;
begin
    for one in select i.indexrelid::regclass from pg_index i where i.indrelid = partition and i.indexprs is not null loop
        execute format('alter index %s alter column 1 set statistics 0', one);
    end loop;
end
$$;

select keep_no_word_statistics(inhrelid::regclass) from pg_inherits where inhparent = 'messages'::regclass;

-- As in 0004, and without statistics of words.
create or replace function make_message_partitions(ahead integer) returns integer language plpgsql as $$
declare
    month timestamptz;
    made  integer := 0;
    name  text;
begin
    perform pg_advisory_xact_lock(hashtext('make_message_partitions'));
    for i in 0..ahead loop
        month := date_trunc('month', now() at time zone 'UTC') at time zone 'UTC' + make_interval(months => i);
        name := 'messages_' || to_char(month at time zone 'UTC', 'YYYY_MM');
        if to_regclass('public.' || quote_ident(name)) is null then
            execute format('create table %I partition of messages for values from (%L) to (%L)', name,
                uuid7_floor(month), uuid7_floor((month at time zone 'UTC' + interval '1 month') at time zone 'UTC'));
            perform keep_no_word_statistics(name::regclass);
            made := made + 1;
        end if;
    end loop;
    return made;
end
$$;
