-- Calls of models by programs, which pass through and are kept nowhere: how many somebody may make in an hour, what is reserved
-- for those under way, and the ledger's lines for them, many at a time.

-- Null: as the settings say (of somebody: as their role has it); 0: no limit.
alter table role_limits add column calls_per_hour integer check (calls_per_hour >= 0);
alter table user_limits add column calls_per_hour integer check (calls_per_hour >= 0);

-- How many calls somebody began in a second (of the epoch). A second counts until an hour after its end. No constraint leads
-- to the account, since calls of many people are counted by one statement; what is older than an hour goes.
create table call_seconds (
    user_id uuid not null,
    second  bigint not null,
    calls   integer not null,
    primary key (user_id, second)
) with (fillfactor = 50);

-- Takes `wanted` calls of each of these people, as far as they have them, and up to `more` ahead, as long as these are few of what is
-- left (a fiftieth: of less than fifty calls none), and tells of each: how many may be made in an hour (0: no limit), how many
-- were before and are taken now and ahead, in which second, when there is one more and (if not all could be taken) when there is
-- room again, in seconds; and what of budgets holds for them. One person's calls are counted by one at a time. A crash of the database
-- may forget the last ones.
create function take_calls(who uuid[], as_role text[], per_hour integer[], wanted integer[], more integer[], budgets bigint[])
returns table (whose uuid, most integer, before integer, taken integer, ahead integer, at bigint, reset_in float8, again_in float8,
    own bigint, of_groups boolean)
language plpgsql volatile as $$
declare
    one    record;
    moment float8;
    oldest bigint;
    again  bigint;
begin
    perform set_config('synchronous_commit', 'off', true);
    for one in select t.* from unnest(who, as_role, per_hour, wanted, more, budgets) as t (id, role, hourly, n, more, budget)
               order by t.id loop
        select coalesce(u.calls_per_hour, r.calls_per_hour, one.hourly), coalesce(u.budget, r.budget, one.budget) into most, own
            from (select 1) x
            left join public.user_limits u on u.user_id = one.id
            left join public.role_limits r on r.role = one.role;
        of_groups := exists (select from public.group_members m join public.groups g on g.id = m.group_id
                             where m.user_id = one.id and g.budget is not null);
        whose := one.id;
        before := 0;
        taken := one.n;
        ahead := one.more;
        at := 0;
        reset_in := 0;
        again_in := null;
        if most > 0 then
            perform pg_advisory_xact_lock(hashtextextended('calls of ' || one.id, 0));
            moment := extract(epoch from clock_timestamp());
            at := floor(moment);
            select coalesce(sum(s.calls), 0), min(s.second) into before, oldest from public.call_seconds s
                where s.user_id = one.id and s.second >= at - 3600;
            taken := greatest(least(one.n, most - before), 0);
            ahead := least(one.more, greatest(most - before - taken, 0) / 50);
            if taken > 0 then
                insert into public.call_seconds as s (user_id, second, calls) values (one.id, at, taken + ahead)
                on conflict (user_id, second) do update set calls = s.calls + excluded.calls;
            end if;
            reset_in := coalesce(oldest, at) + 3601 - moment;
            if taken < one.n then
                select g.second into again from (
                    select s.second, sum(s.calls) over (order by s.second) as gone from public.call_seconds s
                    where s.user_id = one.id and s.second >= at - 3600) g
                    where g.gone > before + taken - most order by g.second limit 1;
                again_in := again + 3601 - moment;
            end if;
        end if;
        return next;
    end loop;
end
$$;

-- Calls under way for which something is reserved. Their process says every now and then that they still are.
create table calls (
    id              uuid primary key,
    user_id         uuid not null,
    reserved        bigint not null,
    reserved_in     date not null,
    reserved_groups uuid[] not null,
    seen            timestamptz not null default now()
);

-- As `reserve_in_all` (0033) reserves for an answer, which it does by this now: and tells the groups too.
create function reserve_for(who uuid, own bigint, amount bigint)
returns table (took boolean, whose text, most bigint, already_spent bigint, already_reserved bigint, month date, mine uuid[])
language plpgsql volatile as $$
declare
    one record;
begin
    took := false;
    whose := '';
    most := own;
    month := date_trunc('month', now() at time zone 'UTC');
    mine := '{}';
    insert into public.spending as s (user_id, month, reserved)
        select who, reserve_for.month, amount where own = 0 or amount <= own
    on conflict on constraint spending_pkey do update set reserved = s.reserved + amount
        where own = 0 or s.spent + s.reserved + amount <= own;
    if not found then
        select coalesce(max(s.spent), 0), coalesce(max(s.reserved), 0) into already_spent, already_reserved
            from public.spending s where s.user_id = who and s.month = reserve_for.month;
        return next;
        return;
    end if;
    for one in select g.id, g.name, g.budget from public.group_members m join public.groups g on g.id = m.group_id
               where m.user_id = who and g.budget is not null order by g.id loop
        insert into public.group_spending as s (group_id, month, reserved)
            select one.id, reserve_for.month, amount where amount <= one.budget
        on conflict on constraint group_spending_pkey do update set reserved = s.reserved + amount
            where s.spent + s.reserved + amount <= one.budget;
        if not found then
            whose := one.name;
            most := one.budget;
            select coalesce(max(s.spent), 0), coalesce(max(s.reserved), 0) into already_spent, already_reserved
                from public.group_spending s where s.group_id = one.id and s.month = reserve_for.month;
            return next;
            return;
        end if;
        mine := mine || one.id;
    end loop;
    took := true;
    return next;
end
$$;

create or replace function reserve_in_all(generation uuid, who uuid, own bigint, amount bigint)
returns table (took boolean, whose text, most bigint, already_spent bigint, already_reserved bigint)
language plpgsql volatile as $$
declare
    r record;
begin
    select * into r from public.reserve_for(who, own, amount);
    if r.took then
        update public.generations g set reserved = amount, reserved_in = r.month, reserved_groups = r.mine
            where g.id = generation;
    end if;
    return query select r.took, r.whose, r.most, r.already_spent, r.already_reserved;
end
$$;

-- The same for a call.
create function reserve_call(call uuid, who uuid, own bigint, amount bigint)
returns table (took boolean, whose text, most bigint, already_spent bigint, already_reserved bigint)
language plpgsql volatile as $$
declare
    r record;
begin
    select * into r from public.reserve_for(who, own, amount);
    if r.took then
        insert into public.calls (id, user_id, reserved, reserved_in, reserved_groups)
        values (call, who, amount, r.month, r.mine);
    end if;
    return query select r.took, r.whose, r.most, r.already_spent, r.already_reserved;
end
$$;

alter table usage drop constraint usage_purpose_check;
alter table usage add constraint usage_purpose_check check (purpose in ('answer', 'title', 'call'));

-- Every call has a row, and none of these has an answer to be found by.
drop index usage_of_generation;
create index usage_of_generation on usage (generation_id) where generation_id is not null;

-- Writes calls that are over into the ledger, each at one place of all the arrays, and gives back what was reserved for those of the
-- last one. What is there already was written by a statement whose outcome did not reach its process. Then rows are locked in one
-- order, which is that of an answer's end as well: people, groups, days; each by their ids.
create function note_calls(ids uuid[], whose uuid[], providers text[], models text[], keys uuid[], outcomes text[], prompts bigint[],
    cached bigint[], completions bigint[], reasonings bigint[], estimates boolean[], costs bigint[], firsts integer[], paces real[],
    over uuid[])
returns void language plpgsql volatile as $$
declare
    today      constant date := (now() at time zone 'UTC')::date;
    this_month constant date := date_trunc('month', today)::date;
    sums       jsonb;
begin
    with fresh as (
        insert into public.usage (id, user_id, purpose, provider, model, key_id, outcome, prompt_tokens, cached_tokens,
            completion_tokens, reasoning_tokens, estimated, cost, first_token_ms, tokens_per_second)
        select e.id, e.who, 'call', e.provider, e.model, e.key, e.outcome, e.prompt, e.cached, e.completion, e.reasoning,
            e.estimated, e.cost, e.first_ms, e.pace
        from unnest(ids, whose, providers, models, keys, outcomes, prompts, cached, completions, reasonings, estimates, costs,
                firsts, paces)
            as e (id, who, provider, model, key, outcome, prompt, cached, completion, reasoning, estimated, cost, first_ms, pace)
        on conflict do nothing
        returning user_id, provider, model, outcome, prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens, cost)
    select coalesce(jsonb_agg(s), '[]') into sums from (
        select f.user_id as who, f.provider, f.model, count(*) as requests,
            count(*) filter (where f.outcome not in ('complete', 'stopped')) as failed, sum(f.prompt_tokens) as prompt,
            sum(f.cached_tokens) as cached, sum(f.completion_tokens) as completion, sum(f.reasoning_tokens) as reasoning,
            coalesce(sum(f.cost), 0) as cost, count(*) filter (where f.cost is null) as unpriced
        from fresh f group by f.user_id, f.provider, f.model) s;
    perform from public.calls c where c.id = any(over) order by c.id for update;
    insert into public.spending as s (user_id, month, spent, reserved)
    select x.who, x.month, sum(x.spent), sum(x.reserved) from (
        select e.who, this_month as month, e.cost as spent, 0::bigint as reserved
            from jsonb_to_recordset(sums) as e (who uuid, cost bigint) where e.cost > 0
        union all
        select c.user_id, c.reserved_in, 0, -c.reserved from public.calls c where c.id = any(over)) x
    where exists (select from public.users u where u.id = x.who)
    group by x.who, x.month order by x.who, x.month
    on conflict (user_id, month) do update set spent = s.spent + excluded.spent, reserved = s.reserved + excluded.reserved;
    insert into public.group_spending as s (group_id, month, spent, reserved)
    select x.id, x.month, sum(x.spent), sum(x.reserved) from (
        select m.group_id as id, this_month as month, e.cost as spent, 0::bigint as reserved
            from jsonb_to_recordset(sums) as e (who uuid, cost bigint)
            join public.group_members m on m.user_id = e.who where e.cost > 0
        union all
        select g.id, c.reserved_in, 0, -c.reserved from public.calls c cross join unnest(c.reserved_groups) as g (id)
            where c.id = any(over)) x
    where exists (select from public.groups g where g.id = x.id)
    group by x.id, x.month order by x.id, x.month
    on conflict (group_id, month) do update set spent = s.spent + excluded.spent, reserved = s.reserved + excluded.reserved;
    delete from public.calls c where c.id = any(over);
    insert into public.usage_days as d (day, user_id, provider, model, requests, failed, prompt_tokens, cached_tokens,
        completion_tokens, reasoning_tokens, cost, unpriced)
    select today, e.who, e.provider, e.model, e.requests, e.failed, e.prompt, e.cached, e.completion, e.reasoning, e.cost, e.unpriced
    from jsonb_to_recordset(sums) as e (who uuid, provider text, model text, requests bigint, failed bigint, prompt bigint,
        cached bigint, completion bigint, reasoning bigint, cost bigint, unpriced bigint)
    order by e.who, e.provider, e.model
    on conflict (user_id, day, provider, model) do update set requests = d.requests + excluded.requests,
        failed = d.failed + excluded.failed, prompt_tokens = d.prompt_tokens + excluded.prompt_tokens,
        cached_tokens = d.cached_tokens + excluded.cached_tokens,
        completion_tokens = d.completion_tokens + excluded.completion_tokens,
        reasoning_tokens = d.reasoning_tokens + excluded.reasoning_tokens, cost = d.cost + excluded.cost,
        unpriced = d.unpriced + excluded.unpriced;
end
$$;
