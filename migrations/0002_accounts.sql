-- People who may sign in.
create table users (
    id            uuid primary key default uuid7(),
    email         text not null,                        -- as typed, trimmed
    email_key     text not null,                        -- lower case: what is compared
    name          text not null,
    password_hash text not null,                        -- PHC string, argon2id
    role          text not null default 'member' check (role in ('member', 'administrator')),
    disabled_at   timestamptz,
    created_at    timestamptz not null default now(),
    constraint users_email_key unique (email_key)
);

-- Single-use secrets sent to people; only their SHA-256 is here.
create table tokens (
    hash       bytea primary key,
    purpose    text not null,                           -- 'setup'
    user_id    uuid references users (id) on delete cascade,
    expires_at timestamptz not null,
    created_at timestamptz not null default now()
);
