-- Where a chat stands in its owner's list, whose title it has, and the index that searching uses.
alter table chats add column pinned_at timestamptz;      -- stands on top of the list
alter table chats add column archived_at timestamptz;    -- stands in the archive, not in the list

-- Whose title it is: cut from the first words, made by the model, or written by a person. The last is never overwritten.
alter table chats add column titled_by text not null default 'words';

create index chats_pinned on chats (user_id) where pinned_at is not null and deleted_at is null;

-- By words as they are written, in any language ('simple'); what lies beyond the first 100,000 characters of a message is
-- not found. An answer comes in here once: when it ends.
create index messages_words on messages using gin (to_tsvector('simple', left(text, 100000)));

-- What somebody typed, as a query that never fails: words, "phrases", -without. A word also finds what begins with it,
-- outside of phrases; "or" is said as it is in search engines.
create function search_query(words text) returns tsquery language sql immutable parallel safe as $$
    select case when position('"' in words) > 0 then websearch_to_tsquery('simple', words)
        else regexp_replace(websearch_to_tsquery('simple', words)::text, '''((?:[^'']|'''')*)''(?!:)',
            case when words ~ '(^|\s)-' then '''\1''' else '''\1'':*' end, 'g')::tsquery end
$$;

-- The newest of a viewer's messages with these words, before one if it is given; not those of deleted chats. Always by the
-- index: whatever else looks cheaper reads the words out of every message anew. The index alone knows what matches, so
-- it is asked first, for everybody's, and whose they are after that.
create function find_messages(viewer uuid, words text, before uuid, most bigint) returns setof uuid
language sql stable parallel safe set enable_seqscan = off set work_mem = '32MB' as $$
    with hits as materialized (
        select m.id, m.chat_id from messages m
        where to_tsvector('simple', left(m.text, 100000)) @@ search_query(words))
    select h.id from hits h join chats c on c.id = h.chat_id
    where c.user_id = viewer and c.deleted_at is null and (before is null or h.id < before)
    order by h.id desc limit most
$$;
