-- The tree in a person's hands. Nothing here is known to the version before, which goes on beside it: columns that may
-- be empty.
alter table messages
    add column removed_at timestamptz,                  -- deleted with what follows it, all at the same instant; purged a day later
    add column model text;                              -- of an answer without a generation of its own: who said it

create index messages_removed on messages (removed_at) where removed_at is not null;

-- What is deleted is not found.
create or replace function find_messages(viewer uuid, words text, before uuid, most bigint) returns setof uuid
language sql stable parallel safe set enable_seqscan = off set work_mem = '32MB' as $$
    with hits as materialized (
        select m.id, m.chat_id from messages m
        where m.removed_at is null and to_tsvector('simple', left(m.text, 100000)) @@ search_query(words))
    select h.id from hits h join chats c on c.id = h.chat_id
    where c.user_id = viewer and c.deleted_at is null and (before is null or h.id < before)
    order by h.id desc limit most
$$;
