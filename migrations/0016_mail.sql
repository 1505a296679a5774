-- Letters on their way: posted in the transaction of the act they tell of, sent by a job. The row is the truth.
create table mail (
    id              uuid primary key default uuid7(),
    kind            text not null,                      -- 'reset', 'invitation', …
    recipient       text not null,
    user_id         uuid references users (id) on delete cascade,
    body            bytea,                              -- the letter as data, sealed, since it holds links; dropped when it was sent, or is old
    state           text not null default 'queued'
                    check (state in ('queued', 'sending', 'sent', 'written', 'failed')),
    attempts        integer not null default 0,         -- since it was queued, or last tried again by hand
    epoch           integer not null default 0,         -- of whoever sends it: one whose lease ran out changes nothing
    next_attempt_at timestamptz not null default now(),
    lease_until     timestamptz,
    last_error      text not null default '',           -- for administrators
    created_at      timestamptz not null default now(),
    settled_at      timestamptz
);

create index mail_due on mail (next_attempt_at) where state in ('queued', 'sending');
create index mail_user on mail (user_id, created_at);
create index mail_body on mail (created_at) where body is not null;

-- Forgotten passwords: whoever asks leaves an address here, whether or not anybody has it, and is answered. A job finds out.
create table reset_wishes (
    id         uuid primary key default uuid7(),
    email_key  text not null,
    created_at timestamptz not null default now()
);

-- What a token is bound to, beside its purpose and its owner.
alter table tokens add column address text;
create index tokens_user on tokens (user_id, purpose);
