-- Who did what to whom, and from where. Rows outlive the accounts that they name: no foreign keys, and when an account goes,
-- its address and name are replaced by a pseudonym.
create table audit (
    id         uuid primary key default uuid7(),
    at         timestamptz not null default now(),
    actor_id   uuid,                                    -- nobody: the command line, or the program itself
    actor      text not null,                           -- the address of their account, then a pseudonym
    action     text not null,                           -- e.g. 'user.disabled'
    subject_id uuid,                                    -- the account it was done to, if it was done to one
    subject    text not null default '',
    address    inet,                                    -- where the request came from
    details    text not null default ''                 -- never a secret, never a message
);

create index audit_actor on audit (actor_id);
create index audit_subject on audit (subject_id);
