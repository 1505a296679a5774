-- What programs sign in with. The version before knows nothing of it.

-- A program that signed in: its refresh tokens are a family, of which only the newest is good. An old one used again ends
-- the whole of it.
create table token_families (
    id            uuid primary key default uuid7(),
    user_id       uuid not null references users (id) on delete cascade,
    password_mark bytea not null,                       -- SHA-256 of the password's hash: another password ends it
    created_at    timestamptz not null default now(),
    ended_at      timestamptz,
    ended_by      text                                  -- 'logout', 'reuse', 'all'
);

create index token_families_of_user on token_families (user_id);

create table refresh_tokens (
    hash       bytea primary key,                       -- SHA-256: the token itself is nowhere
    family_id  uuid not null references token_families (id) on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at    timestamptz                              -- then it is old
);

create index refresh_tokens_of_family on refresh_tokens (family_id);
create index refresh_tokens_by_end on refresh_tokens (expires_at);

-- Keys that people make for programs. One that is revoked is gone; the audit log knows of it.
create table api_keys (
    id         uuid primary key default uuid7(),
    user_id    uuid not null references users (id) on delete cascade,
    name       text not null,
    prefix     text not null,                           -- how it begins, to tell it from others
    hash       bytea not null,                          -- SHA-256
    scopes     text[] not null,
    expires_at timestamptz,
    used_at    timestamptz,                             -- to a minute
    created_at timestamptz not null default now(),
    constraint api_keys_hash unique (hash)
);

create index api_keys_of_user on api_keys (user_id);
