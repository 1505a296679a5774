-- What an answer may go through besides being made at once: waiting to be tried again, being given up (a dead letter),
-- waiting in line behind another answer, and going on where a cut one ended. The states and every way between them are
-- told in src/domain/generation/state.rs.
alter table generations
    drop constraint generations_state_check,
    add constraint generations_state_check
        check (state in ('lined', 'queued', 'streaming', 'waiting', 'completed', 'stopped', 'interrupted', 'failed')),
    add column after_id uuid,                            -- of one in line: the answer that has to end first
    add column retries  integer not null default 0,      -- how often it has waited to be tried again
    add column prefix   integer not null default 0,      -- bytes of text taken over from the answer it continues
    add column dead_at  timestamptz;                     -- given up, until an administrator requeues or drops it

drop index generations_running;
create index generations_running on generations (chat_id) where state in ('lined', 'queued', 'streaming', 'waiting');
create index generations_lined on generations (after_id) where state = 'lined';
create index generations_dead on generations (dead_at) where dead_at is not null;
