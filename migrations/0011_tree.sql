-- The tree in a person's hands. Nothing here is known to the version before, which goes on beside it: columns that may
-- be empty.
alter table messages
    add column removed_at timestamptz,                  -- deleted with what follows it, all at the same instant; purged a day later
    add column model text;                              -- of an answer without a generation of its own: who said it

create index messages_removed on messages (removed_at) where removed_at is not null;
