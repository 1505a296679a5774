-- Chats, their trees of messages, the making of answers, and the feed.
create table chats (
    id         uuid primary key default uuid7(),
    user_id    uuid not null references users (id) on delete cascade,
    title      text not null,
    model      text,                                    -- the model asked last: the composer's choice
    leaf_id    uuid,                                    -- the end of the shown path
    created_at timestamptz not null default now(),
    active_at  timestamptz not null default now(),      -- the last message: the list's order
    deleted_at timestamptz
);

create index chats_of_user on chats (user_id, active_at desc, id) where deleted_at is null;
create index chats_deleted on chats (deleted_at) where deleted_at is not null;

-- Partitioned by month through the time inside the UUIDv7 ids, so that the key stays the key.
create table messages (
    id         uuid not null default uuid7(),
    chat_id    uuid not null references chats (id) on delete cascade,
    parent_id  uuid,                                    -- null: the first message of the tree
    place      integer not null default 0,              -- the order among siblings
    author     text not null check (author in ('person', 'model')),
    text       text not null default '',                -- Markdown; of an answer: written when it ends
    reasoning  text not null default '',
    html       text,                                    -- rendered and sanitised once; null while an answer runs
    created_at timestamptz not null default now(),
    primary key (id),
    constraint messages_of_chat unique (chat_id, id),
    constraint messages_parent foreign key (chat_id, parent_id) references messages (chat_id, id) on delete cascade
) partition by range (id);

create index messages_children on messages (chat_id, parent_id);

create table messages_default partition of messages default;

alter table chats add constraint chats_leaf foreign key (id, leaf_id) references messages (chat_id, id)
    on delete no action deferrable initially deferred;

-- Makes the partitions of this month and the given number of months after it; those that exist are left alone.
create function make_message_partitions(ahead integer) returns integer language plpgsql as $$
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
            made := made + 1;
        end if;
    end loop;
    return made;
end
$$;

select make_message_partitions(3);

-- The making of one answer: the truth about it, whatever the queue says. Its states and their transitions are
-- told in src/domain/generation/state.rs.
create table generations (
    id                uuid primary key default uuid7(),
    message_id        uuid not null unique,
    chat_id           uuid not null references chats (id) on delete cascade,
    user_id           uuid not null references users (id) on delete cascade,
    model             text not null,                    -- provider/name, as in the catalog
    state             text not null default 'queued'
        check (state in ('queued', 'streaming', 'waiting', 'completed', 'stopped', 'interrupted', 'failed')),
    reason            text,                             -- for people: why it failed or was cut
    attempt           integer not null default 0,       -- claims so far
    epoch             integer not null default 0,       -- rises with every claim: the fence
    from_seq          bigint not null,                  -- the feed's position before its first event
    lease_until       timestamptz,
    next_attempt_at   timestamptz not null default now(),
    rung_at           timestamptz not null default now(), -- when a job was last enqueued for it
    prompt_tokens     bigint,
    cached_tokens     bigint,
    completion_tokens bigint,
    reasoning_tokens  bigint,
    created_at        timestamptz not null default now(),
    started_at        timestamptz,                      -- the first claim
    first_token_at    timestamptz,
    answer_at         timestamptz,                      -- the first token that is not reasoning
    ended_at          timestamptz,
    foreign key (chat_id, message_id) references messages (chat_id, id) on delete cascade
) with (fillfactor = 80);

create index generations_leased on generations (lease_until) where state = 'streaming';
create index generations_due on generations (next_attempt_at) where state in ('queued', 'waiting');
create index generations_running on generations (chat_id) where state in ('queued', 'streaming', 'waiting');

-- The feed: the ordered log of a chat. The head is the chat's mutex: whoever appends, or changes a generation's state
-- or epoch, locks it first. So commit order is sequence order, without gaps.
create table feed_heads (
    chat_id   uuid primary key references chats (id) on delete cascade,
    first_seq bigint not null default 1,                -- the oldest event that is kept
    seq       bigint not null default 0                 -- the newest
) with (fillfactor = 50);

create table feed_events (
    chat_id    uuid not null,
    seq        bigint not null,
    message_id uuid not null,
    kind       text not null,                           -- turn, state, text, reasoning, end; readers pass over others
    offset_at  integer,                                 -- of text and reasoning: bytes before it in the message
    body       text not null,                           -- of text and reasoning: the text itself; else JSON
    at         timestamptz not null default now(),
    primary key (chat_id, seq)
);

-- One batch of deltas of many chats, as one statement. A head that somebody else holds is passed over and its rows are
-- not returned: they wait for the next batch. A row whose generation is no longer streaming under that epoch comes
-- back with seq null: its worker lost the lease. Each statement in here has a snapshot of its own, so the second one
-- sees what was committed before the heads were locked.
create function feed_write(chats uuid[], generations uuid[], epochs integer[], messages uuid[], kinds text[],
                           offsets integer[], bodies text[], sender text)
returns table (ord bigint, new_seq bigint) language plpgsql volatile as $$
declare
    held uuid[];
begin
    select array_agg(l.chat_id) into held from (
        select h.chat_id from feed_heads h where h.chat_id = any (chats)
        order by h.chat_id for no key update skip locked) l;
    if held is null then
        return;
    end if;
    return query
    with batch as (
        select * from unnest(chats, generations, epochs, messages, kinds, offsets, bodies)
            with ordinality as b (chat_id, generation_id, epoch, message_id, kind, offset_at, body, ord)
        where b.chat_id = any (held)
    ), live as (
        select b.*, row_number() over (partition by b.chat_id order by b.ord) as n
        from batch b
        join public.generations g on g.id = b.generation_id and g.epoch = b.epoch and g.state = 'streaming'
    ), raised as (
        update feed_heads h set seq = h.seq + c.n
        from (select l.chat_id, count(*) as n from live l group by l.chat_id) c
        where h.chat_id = c.chat_id
        returning h.chat_id, h.seq, h.seq - c.n as base
    ), firsts as (
        update public.generations g set first_token_at = coalesce(g.first_token_at, now()),
            answer_at = case when l.text then now() end
        from (select l.generation_id, bool_or(l.kind = 'text') as text from live l group by l.generation_id) l
        where g.id = l.generation_id and g.answer_at is null and (g.first_token_at is null or l.text)
    ), written as (
        insert into feed_events (chat_id, seq, message_id, kind, offset_at, body)
        select l.chat_id, r.base + l.n, l.message_id, l.kind, l.offset_at, l.body
        from live l join raised r on r.chat_id = l.chat_id
    ), rung as (
        select pg_notify('parlor_feed', sender || '|' || case when sum(length(p.one)) < 7000
            then string_agg(p.one, ',') else '' end) as done
        from (select r.chat_id::text || ':' || r.seq as one from raised r) p
        having count(*) > 0
    )
    select b.ord, r.base + l.n from batch b
    left join live l on l.ord = b.ord
    left join raised r on r.chat_id = l.chat_id
    left join rung on true;
end
$$;

-- Forms already taken, so that a resubmission is harmless; kept for a day.
create table sends (
    user_id    uuid not null references users (id) on delete cascade,
    key        uuid not null,
    body_hash  bytea not null,
    chat_id    uuid not null references chats (id) on delete cascade,
    message_id uuid not null,                           -- the answer that was begun
    at         timestamptz not null default now(),
    primary key (user_id, key)
);

create index sends_at on sends (at);
