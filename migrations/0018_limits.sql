-- How much may be sent how fast, and how often a password may be tried. Shared by all processes, counted by the database's
-- clock.

-- What differs from the settings. Null: as the settings say (of somebody: as their role has it); 0: no limit.
create table role_limits (
    role                text primary key check (role in ('member', 'administrator')),
    messages_per_minute integer check (messages_per_minute >= 0),
    messages_per_day    integer check (messages_per_day >= 0)
);

create table user_limits (
    user_id             uuid primary key references users (id) on delete cascade,
    messages_per_minute integer check (messages_per_minute >= 0),
    messages_per_day    integer check (messages_per_day >= 0)
);

-- One row for each answer that somebody has begun and whose beginning counts; kept for a day.
create table taken_messages (
    user_id    uuid not null references users (id) on delete cascade,
    at         timestamptz not null,
    message_id uuid not null                            -- the answer, to give it back by
);

create index taken_messages_of_user on taken_messages (user_id, at);
create index taken_messages_at on taken_messages using brin (at);

-- What is in force for somebody. `per_minute` and `per_day` are those of the settings.
create function message_limits(who uuid, as_role text, per_minute integer, per_day integer)
returns table (a_minute integer, a_day integer) language sql stable as $$
    select coalesce(u.messages_per_minute, r.messages_per_minute, per_minute),
           coalesce(u.messages_per_day, r.messages_per_day, per_day)
    from (select 1) one
    left join public.user_limits u on u.user_id = who
    left join public.role_limits r on r.role = as_role
$$;

-- How much of each window that has a limit is used, and when its oldest leaves it; in seconds from now. `again_in`: when
-- there is room again, if there is none.
create function message_windows(who uuid, as_role text, per_minute integer, per_day integer)
returns table (period integer, most integer, used integer, reset_in float8, again_in float8)
language plpgsql volatile as $$
declare
    moment constant timestamptz := clock_timestamp();
    here   record;
    oldest timestamptz;
    again  timestamptz;
begin
    select * into here from public.message_limits(who, as_role, per_minute, per_day);
    foreach period in array array[60, 86400] loop
        most := case period when 60 then here.a_minute else here.a_day end;
        continue when most <= 0;
        select count(*), min(m.at) into used, oldest from public.taken_messages m
            where m.user_id = who and m.at > moment - make_interval(secs => period);
        reset_in := extract(epoch from oldest - moment) + period;
        again_in := null;
        if used >= most then
            select m.at into again from public.taken_messages m
                where m.user_id = who and m.at > moment - make_interval(secs => period)
                order by m.at desc offset most - 1 limit 1;
            again_in := extract(epoch from again - moment) + period;
        end if;
        return next;
    end loop;
end
$$;

-- Takes one message of what somebody may send, or tells when there is room again (`again_in` of a row is not null: nothing
-- was taken). No row: nothing limits them, and nothing is written down. One at a time for each person until the
-- transaction ends, so that what is counted is what is committed: each statement here has a snapshot of its own, made
-- when the lock is held. The lock is the last one that an act takes, and nothing is waited for under it.
create function take_message(who uuid, as_role text, per_minute integer, per_day integer, answer uuid)
returns table (period integer, most integer, used integer, reset_in float8, again_in float8)
language plpgsql volatile as $$
declare
    room boolean := true;
    one  record;
begin
    perform pg_advisory_xact_lock(hashtextextended('messages of ' || who, 0));
    for one in select * from public.message_windows(who, as_role, per_minute, per_day) loop
        room := room and one.again_in is null;
        period := one.period;
        most := one.most;
        -- with this one
        used := one.used + case when one.again_in is null then 1 else 0 end;
        reset_in := coalesce(one.reset_in, one.period);
        again_in := one.again_in;
        return next;
    end loop;
    if found and room then
        insert into public.taken_messages (user_id, at, message_id) values (who, clock_timestamp(), answer);
    end if;
end
$$;

-- Anonymous requests of an address (IPv6: of its /64) in an hour, as far as the processes have written them.
create table address_requests (
    hour     timestamptz not null,
    address  inet not null,
    requests integer not null,
    primary key (address, hour)
) with (fillfactor = 70);

-- Tries of passwords and codes that have not come out right (yet): they are written down before they are looked at.
-- `account` is the SHA-256 of its name, because what people type there may be anything; empty: of all accounts.
-- `address` 0.0.0.0/0: from all addresses. Forgotten an hour after the last one.
create table password_tries (
    account bytea not null,
    address inet not null,
    failed  integer not null,
    at      timestamptz not null,
    primary key (account, address)
) with (fillfactor = 70);

-- Where an account was signed in from: there it is not slowed down by what others try elsewhere.
create table password_places (
    account bytea not null,
    address inet not null,
    at      timestamptz not null,
    primary key (account, address)
);

-- The pause after so many tries: none for the first ones, then twice as long each time, a minute at most.
create function password_pause(failed integer, free integer) returns float8 language sql immutable as $$
    select case when failed < free then 0 else least(60, 2 ^ least(failed - free, 6)) end::float8
$$;

-- Begins a try, or tells how many seconds it is too early. It counts as failed until `password_right` says otherwise, so
-- that many at once are no way round. Pauses are counted from the last try of the same address, so that nobody else can
-- use up the moment when somebody may try again.
create function password_try(who bytea, place inet) returns float8 language plpgsql volatile as $$
declare
    everywhere constant inet := '0.0.0.0/0';
    moment timestamptz;
    here   public.password_tries;
    total  public.password_tries;
    guest  public.password_tries;
    early  float8;
begin
    perform pg_advisory_xact_lock(hashtextextended('tries of ' || encode(who, 'hex'), 0));
    perform pg_advisory_xact_lock(hashtextextended('tries from ' || place, 0));
    moment := clock_timestamp();
    select * into here from public.password_tries t where t.account = who and t.address = place and t.at > moment - interval '1 hour';
    early := password_pause(coalesce(here.failed, 0), 5) - extract(epoch from moment - here.at);
    if not exists (select 1 from public.password_places p where p.account = who and p.address = place) then
        select * into total from public.password_tries t where t.account = who and t.address = everywhere and t.at > moment - interval '1 hour';
        select * into guest from public.password_tries t where t.account = ''::bytea and t.address = place and t.at > moment - interval '1 hour';
        early := greatest(early,
            password_pause(coalesce(total.failed, 0), 20) - extract(epoch from moment - here.at),
            password_pause(coalesce(guest.failed, 0), 20) - extract(epoch from moment - guest.at));
    end if;
    if early > 0 then
        return early;
    end if;
    insert into public.password_tries as t (account, address, failed, at)
    values (who, place, 1, moment), (who, everywhere, 1, moment), (''::bytea, place, 1, moment)
    on conflict (account, address) do update set at = excluded.at,
        failed = case when t.at > moment - interval '1 hour' then least(t.failed + 1, 1000) else 1 end;
    return 0;
end
$$;

-- The try that was begun last came out right.
create function password_right(who bytea, place inet) returns void language plpgsql volatile as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('tries of ' || encode(who, 'hex'), 0));
    perform pg_advisory_xact_lock(hashtextextended('tries from ' || place, 0));
    delete from public.password_tries t where t.account = who and t.address = place;
    update public.password_tries t set failed = greatest(t.failed - 1, 0)
    where t.account = who and t.address = '0.0.0.0/0' or t.account = ''::bytea and t.address = place;
    insert into public.password_places (account, address, at) values (who, place, now())
    on conflict (account, address) do update set at = now();
end
$$;
