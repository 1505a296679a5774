-- How the keys of providers stand, for all processes. The keys themselves are in each process's settings; here is what is
-- derived from them (`id`, from the installation's secret) and their last characters.
create table provider_keys (
    id                  uuid primary key,
    provider            text not null,
    hint                text not null,                  -- its last four characters, or none of a short one
    requests_per_minute integer not null,               -- 0: no limit
    tokens_per_minute   bigint not null,                -- 0: no limit
    resting_until       timestamptz,                    -- the provider asked us to wait
    set_aside_at        timestamptz,                    -- the provider did not accept it; until an administrator says so
    reason              text not null default '',       -- why it rests or was set aside: the provider's words
    seen_at             timestamptz not null default now()
);

-- What was asked with a key, by seconds of the epoch. Unlogged: after a crash of PostgreSQL the last minute is forgotten.
create unlogged table key_uses (
    key_id   uuid not null,
    second   bigint not null,
    requests integer not null,
    tokens   bigint not null,
    primary key (key_id, second)
);

-- How keys stand at this moment. A limit holds in any 60 s, so a second counts until 61 s after its beginning. `free_in`:
-- seconds until there is room for one more request of so many tokens; one that is larger than the limit needs all of it.
-- Uses are added up where they matter: with a limit, between several keys, or `counted` for people who look.
create function key_standings(keys uuid[], wanted bigint, counted boolean)
returns table (id uuid, requests integer, tokens bigint, free_in float8, resting_in float8, set_aside boolean)
language plpgsql volatile as $$ -- a plan that is kept, which SQL functions have not
declare
    moment constant float8 := extract(epoch from clock_timestamp());
begin
    return query
    select k.id, coalesce(u.requests, 0)::integer, coalesce(u.tokens, 0)::bigint,
           greatest(coalesce(u.free_at, 0) - moment, 0),
           greatest(coalesce(extract(epoch from k.resting_until)::float8, 0) - moment, 0),
           k.set_aside_at is not null
    from public.provider_keys k
    left join lateral (
        select max(w.requests) as requests, max(w.tokens) as tokens,
               max(w.second + 61) filter (where
                   k.requests_per_minute > 0 and w.requests >= k.requests_per_minute
                   or k.tokens_per_minute > 0 and w.tokens > k.tokens_per_minute - least(wanted, k.tokens_per_minute)
               )::float8 as free_at
        from (select s.second, sum(s.requests) over newest as requests, sum(s.tokens) over newest as tokens
              from public.key_uses s
              where s.key_id = k.id and s.second > floor(moment)::bigint - 61
                and (counted or cardinality(keys) > 1 or k.requests_per_minute > 0 or k.tokens_per_minute > 0)
              window newest as (order by s.second desc)) w
    ) u on true
    where k.id = any(keys);
end
$$;

-- Takes one request of a key, if it has room, and tells how all of them stand after that. `second` is where it is counted.
create function take_key(keys uuid[], key uuid, wanted bigint)
returns table (taken bigint, id uuid, requests integer, tokens bigint, free_in float8, resting_in float8, set_aside boolean)
language plpgsql volatile as $$
declare
    second_now bigint;
begin
    -- one at a time, so that two cannot take the last one; no row is locked, because the counts are not logged
    if exists (select from public.provider_keys k where k.id = key and (k.requests_per_minute > 0 or k.tokens_per_minute > 0)) then
        perform pg_advisory_xact_lock(hashtextextended(key::text, 7211));
    end if;
    if exists (select from public.key_standings(array[key], wanted, false) s
               where s.free_in = 0 and s.resting_in = 0 and not s.set_aside) then
        second_now := floor(extract(epoch from clock_timestamp()));
        insert into public.key_uses as u (key_id, second, requests, tokens) values (key, second_now, 1, wanted)
        on conflict (key_id, second) do update set requests = u.requests + 1, tokens = u.tokens + excluded.tokens;
    end if;
    return query select second_now, s.* from public.key_standings(keys, wanted, false) s;
end
$$;
