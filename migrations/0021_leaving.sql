-- Leaving: an account that is to be deleted, and a person's data to take along.
alter table users add column delete_at timestamptz;    -- its owner can undo it until then; then it goes, in steps

create index users_leaving on users (delete_at) where delete_at is not null;

-- One file with all of a person's data, made by a job; kept for a day.
create table takeouts (
    id          uuid primary key default uuid7(),
    user_id     uuid not null references users (id) on delete cascade,
    total       integer not null default 0,             -- chats to be put in
    done        integer not null default 0,
    size        bigint not null default 0,              -- bytes of its parts
    epoch       integer not null default 0,             -- rises with every claim: the fence
    lease_until timestamptz not null default now(),
    created_at  timestamptz not null default now(),
    ended_at    timestamptz,
    failed      boolean not null default false          -- given up
);

create unique index takeouts_unfinished on takeouts (user_id) where ended_at is null;
create index takeouts_of_user on takeouts (user_id, id desc);

create table takeout_parts (
    takeout_id uuid not null references takeouts (id) on delete cascade,
    number     integer not null,
    body       bytea not null,
    primary key (takeout_id, number)
);

-- It is compressed already.
alter table takeout_parts alter column body set storage external;
