-- A person's sessions, so that they can be seen and ended: one row beside each row of the session store, and gone with it.
-- The version before knows nothing of it, and what it begins is given a row at its next request.
create table sessions (
    id       uuid primary key default uuid7(),
    user_id  uuid not null references users (id) on delete cascade,
    store_id text not null unique references tower_sessions.session (id) on delete cascade,
    device   text not null default '',                  -- in words, e.g. 'Firefox on Linux'
    address  inet,                                      -- where it was seen last
    remember boolean not null default false,
    began_at timestamptz not null default now(),
    seen_at  timestamptz not null default now()         -- exact to a minute
);

create index sessions_of_user on sessions (user_id);

-- When all sessions of an account were ended: those without a row that began before are over too.
alter table users add column sessions_ended_at timestamptz;
