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

-- When an id was minted.
create function uuid7_time(id uuid) returns timestamptz language plpgsql immutable parallel safe as $$
begin
    return to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0);
end
$$;

-- The place behind all siblings of a message that is to follow this one (null: to begin the tree). What follows a message is
-- younger than it, but for what waited in line behind an answer and was put behind a newer one; so only the months since
-- 35 days before it are looked at.
create function next_place(chat uuid, parent uuid) returns integer language plpgsql stable as $$
declare
    since constant uuid := case when parent is not null then uuid7_floor(uuid7_time(parent) - interval '35 days') end;
begin
    if parent is null then
        return (select coalesce(max(m.place) + 1, 0) from messages m where m.chat_id = chat and m.parent_id is null);
    end if;
    return (select coalesce(max(m.place) + 1, 0) from messages m
            where m.chat_id = chat and m.parent_id = parent and m.id > since);
end
$$;

-- How a viewer's chat stands to whoever sends: locks its head, and then reads, each statement with a snapshot of its own.
-- No row: it is not theirs. `sent_`: what the same form with the same body began, if it was sent before.
create function stand_to_send(viewer uuid, chat uuid, form uuid, body bytea,
                              out seq bigint, out leaf uuid, out leaf_state text, out place integer, out running bigint,
                              out lined bigint, out sent_chat uuid, out sent_answer uuid)
returns setof record language plpgsql volatile as $$
begin
    select h.seq into seq from chats c join feed_heads h on h.chat_id = c.id
        where c.id = chat and c.user_id = viewer and c.deleted_at is null for no key update of h;
    if not found then
        return;
    end if;
    select c.leaf_id into leaf from chats c where c.id = chat;
    select s.chat_id, s.message_id into sent_chat, sent_answer from sends s
        where s.user_id = viewer and s.key = form and s.body_hash = body;
    select g.state into leaf_state from generations g where g.message_id = leaf;
    select count(*) filter (where g.state <> 'lined'), count(*) filter (where g.state = 'lined') into running, lined
        from generations g where g.chat_id = chat and g.state in ('lined', 'queued', 'streaming', 'waiting');
    place := next_place(chat, leaf);
    return next;
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
