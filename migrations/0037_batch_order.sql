-- The writer's batch, as in 0006, but for the order in which it locks answers whose first pieces it has: by their ids, as the
-- renewal of leases does. Two that lock the same ones each in an order of its own can wait for one another; then one of
-- them is ended after a second, and what it was to write is written later.
create or replace function feed_write_batch(chats uuid[], counts integer[], chat_places integer[], row_places integer[],
                                 generation_ids uuid[], epochs integer[], message_ids uuid[], kinds text[],
                                 offsets integer[], bodies text[], firsts boolean[], sender text, patient boolean,
                                 out bases bigint[], out fenced integer[])
language plpgsql volatile as $$
declare
    head   record;
    first  record;
    bell   text;
    fence  integer;
begin
    bases := array_fill(-1::bigint, array[cardinality(chats)]);
    if patient then
        perform set_config('lock_timeout', '500ms', true);
        for head in
            select c.n, h.seq from unnest(chats) with ordinality as c (id, n) join feed_heads h on h.chat_id = c.id
            order by h.chat_id for no key update of h
        loop
            bases[head.n] := head.seq;
        end loop;
    else
        for head in
            select c.n, h.seq from unnest(chats) with ordinality as c (id, n) join feed_heads h on h.chat_id = c.id
            for no key update of h skip locked
        loop
            bases[head.n] := head.seq;
        end loop;
    end if;

    select array_agg(b.n) into fenced
    from unnest(chat_places, generation_ids, epochs) with ordinality as b (chat, generation_id, epoch, n)
    where bases[b.chat] >= 0 and not exists (
        select 1 from generations g where g.id = b.generation_id and g.epoch = b.epoch and g.state = 'streaming');
    if fenced is not null then
        foreach fence in array fenced loop
            bases[chat_places[fence]] := -1;
        end loop;
    end if;

    insert into feed_events (chat_id, seq, message_id, kind, offset_at, body)
    select chats[b.chat], bases[b.chat] + b.place, b.message_id, b.kind, b.offset_at, b.body
    from unnest(chat_places, row_places, message_ids, kinds, offsets, bodies)
        as b (chat, place, message_id, kind, offset_at, body)
    where bases[b.chat] >= 0;

    update feed_heads h set seq = bases[c.n] + c.count
    from unnest(chats, counts) with ordinality as c (id, count, n)
    where h.chat_id = c.id and bases[c.n] >= 0;

    if true = any (firsts) then
        for first in
            select b.generation_id as id, bool_or(b.kind = 'text') as text
            from unnest(chat_places, generation_ids, kinds, firsts) as b (chat, generation_id, kind, first)
            where b.first and bases[b.chat] >= 0 group by b.generation_id order by b.generation_id
        loop
            update generations g set
                first_token_at = coalesce(g.first_token_at, now()),
                answer_at = case when first.text then coalesce(g.answer_at, now()) else g.answer_at end
            where g.id = first.id;
        end loop;
    end if;

    select string_agg(c.id::text || ':' || bases[c.n] + c.count, ',') into bell
    from unnest(chats, counts) with ordinality as c (id, count, n) where bases[c.n] >= 0;
    if bell is not null then
        -- one that would not fit says: look at all
        perform pg_notify('parlor_feed', sender || '|' || case when length(bell) < 7000 then bell else '' end);
    end if;
end
$$;
