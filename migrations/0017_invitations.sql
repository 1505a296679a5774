-- Who may register, when registration is by invitation. Only the token's SHA-256 is here.
create table invitations (
    id         uuid primary key default uuid7(),
    email      text not null,                           -- as typed, trimmed
    email_key  text not null,                           -- lower case: what is compared
    role       text not null default 'member' check (role in ('member', 'administrator')),
    token_hash bytea not null unique,
    invited_by uuid references users (id) on delete set null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at    timestamptz,
    revoked_at timestamptz,
    user_id    uuid references users (id) on delete cascade    -- whose account came of it
);

create index invitations_email on invitations (email_key);
create index invitations_by on invitations (invited_by);
create index invitations_user on invitations (user_id);
