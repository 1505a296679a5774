-- How a person wants to be answered, and how a chat is: what is sent before the conversation, and with it.
alter table users
    add column instructions  text not null default '',       -- the first thing a model is told
    add column default_model text,                           -- provider/name; null: the one asked last
    add column temperature   double precision check (temperature between 0 and 2),
    add column theme         text not null default 'system' check (theme in ('system', 'light', 'dark'));

alter table chats
    add column system_prompt text not null default '',       -- told after the person's own instructions
    add column temperature   double precision check (temperature between 0 and 2); -- wins over the person's

-- Files of chats that were given to be imported: a job makes them into chats, one transaction each.
alter table messages add column said_at timestamptz;        -- of an imported one: when it was said; null: when it came

create table imports (
    id         uuid primary key default uuid7(),
    user_id    uuid not null references users (id) on delete cascade,
    name       text not null,                               -- of the file
    body       text,                                        -- checked before it is kept; null when all is done
    total      integer not null,                            -- chats in it
    done       integer not null default 0,                  -- chats made, in the order of the file
    chat_id    uuid references chats (id) on delete set null, -- the last one made
    created_at timestamptz not null default now(),
    ended_at   timestamptz
);

create index imports_of_user on imports (user_id, id desc);
create index imports_unfinished on imports (created_at) where ended_at is null;
