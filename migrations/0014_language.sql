-- Finding in a person's language: “chats” finds “chat”, “Häuser” finds “Haus”. What is written under a language is found by
-- the stems of its words as well as by the words themselves; no word is left out, so every one of them can be found.
--
-- On a large table: adding the column is instant. The new index holds nothing of what is there already, but making it reads
-- every message's row once (not the long texts), a few seconds for a million of them; meanwhile messages are read, and
-- those that want to write wait.

-- One configuration for each language that PostgreSQL brings, like its own but without words that are left out.
do $$
declare
    one  record;
    part record;
begin
    for one in select cfgname as name from pg_ts_config
               where cfgnamespace = 'pg_catalog'::regnamespace and cfgname <> 'simple' loop
        execute format('create text search configuration public.%I (copy = pg_catalog.%I)', 'words_' || one.name, one.name);
        for part in select distinct d.oid, d.dictname as name, substring(d.dictinitoption from 'language = ''(\w+)''') as language
                    from pg_ts_config c join pg_ts_config_map m on m.mapcfg = c.oid join pg_ts_dict d on d.oid = m.mapdict
                    where c.cfgname = one.name and c.cfgnamespace = 'pg_catalog'::regnamespace and d.dictname like '%\_stem' loop
            if not exists (select from pg_ts_dict where dictname = 'words_' || part.name
                           and dictnamespace = 'public'::regnamespace) then
                execute format('create text search dictionary public.%I (template = pg_catalog.snowball, language = %L)',
                    'words_' || part.name, part.language);
            end if;
            execute format('alter text search configuration public.%I alter mapping replace pg_catalog.%I with public.%I',
                'words_' || one.name, part.name, 'words_' || part.name);
        end loop;
    end loop;
end
$$;

-- A language is a name and no regconfig, whose columns pg_upgrade refuses. 'simple': words as they are written, in any
-- language. Everybody who is here keeps that until they choose; who comes is taken to write English, like the pages.
alter table users
    add column language  text not null default 'simple'
        check (language in ('simple', 'arabic', 'armenian', 'basque', 'catalan', 'danish', 'dutch', 'english', 'finnish',
            'french', 'german', 'greek', 'hindi', 'hungarian', 'indonesian', 'irish', 'italian', 'lithuanian', 'nepali',
            'norwegian', 'portuguese', 'romanian', 'russian', 'serbian', 'spanish', 'swedish', 'tamil', 'turkish', 'yiddish')),
    add column languages text[] not null default '{}';      -- every one that messages were written under, but 'simple'
alter table users alter column language set default 'english', alter column languages set default '{english}';

-- The owner's when it was written; kept when they choose another.
alter table messages add column lang text not null default 'simple';

-- Whoever inserts, also a program of the version before.
create function set_message_lang() returns trigger language plpgsql as $$
begin
    new.lang := coalesce((select u.language from public.chats c join public.users u on u.id = c.user_id
                          where c.id = new.chat_id), 'simple');
    return new;
end
$$;
create trigger messages_lang before insert on messages for each row execute function set_message_lang();

-- How a language's words are taken apart. (In plpgsql, which keeps its plans: one in sql is parsed anew for every message.)
create function words_in(language text) returns regconfig language plpgsql immutable parallel safe as $$
begin
    return case language when 'simple' then 'pg_catalog.simple' else 'public.words_' || language end::regconfig;
end
$$;

create function stems(language text, body text) returns tsvector language plpgsql immutable parallel safe as $$
begin
    return to_tsvector(public.words_in(language), left(body, 100000));
end
$$;

-- Beside messages_words, which has every message with its words as they are: that one finds also what begins with a word
-- that is not typed to its end.
create index messages_stems on messages using gin (stems(lang, text)) where lang <> 'simple';

-- What somebody typed, as in 0008, in a language.
create function search_query(language text, words text) returns tsquery language sql immutable parallel safe as $$
    select case when position('"' in words) > 0 then websearch_to_tsquery(public.words_in(language), words)
        else regexp_replace(websearch_to_tsquery(public.words_in(language), words)::text, '''((?:[^'']|'''')*)''(?!:)',
            case when words ~ '(^|\s)-' then '''\1''' else '''\1'':*' end, 'g')::tsquery end
$$;

-- As before, and by stems, in each language that the viewer has written under. What must not be in a message must not be in
-- it in any form, so there the words alone do not decide.
create or replace function find_messages(viewer uuid, words text, before uuid, most bigint) returns setof uuid
language sql stable parallel safe set enable_seqscan = off set work_mem = '32MB' set jit = off as $$
    with hits as materialized (
        select m.id, m.chat_id from messages m
        where m.removed_at is null and to_tsvector('simple', left(m.text, 100000)) @@ search_query(words)
            and (m.lang = 'simple' or words !~ '(^|\s)-')
        union
        select m.id, m.chat_id
        from (select unnest(u.languages) from users u where u.id = viewer) l (lang)
        join lateral (select f.id, f.chat_id from messages f
            where f.lang <> 'simple' and f.lang = l.lang and f.removed_at is null
                and stems(f.lang, f.text) @@ search_query(l.lang, words)) m on true)
    select h.id from hits h join chats c on c.id = h.chat_id
    where c.user_id = viewer and c.deleted_at is null and (before is null or h.id < before)
    order by h.id desc limit most
$$;
