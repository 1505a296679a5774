-- Budgets: how much somebody may spend in a month (UTC), in micro-units of the currency. Null: as the role has it, and of a role:
-- as the settings say; 0: no limit.
alter table role_limits add column budget bigint check (budget >= 0);
alter table user_limits add column budget bigint check (budget >= 0);

-- What is reserved for an answer, and in which month; nothing once it has ended.
alter table generations add column reserved bigint not null default 0, add column reserved_in date;

create function budget_of(who uuid, as_role text, by_settings bigint) returns bigint language sql stable as $$
    select coalesce(u.budget, r.budget, by_settings)
    from (select 1) one
    left join public.user_limits u on u.user_id = who
    left join public.role_limits r on r.role = as_role
$$;

-- Reserves the most that an answer may cost, if the budget has room for it beside what is spent and reserved; and tells both.
-- The row is locked until the transaction ends, so that two cannot take the same room.
create function reserve(generation uuid, who uuid, budget bigint, amount bigint)
returns table (took boolean, already_spent bigint, already_reserved bigint) language plpgsql volatile as $$
declare
    this_month constant date := date_trunc('month', now() at time zone 'UTC');
begin
    insert into public.spending as s (user_id, month, reserved) select who, this_month, amount where amount <= budget
    on conflict (user_id, month) do update set reserved = s.reserved + amount
        where s.spent + s.reserved + amount <= budget;
    took := found;
    if took then
        update public.generations g set reserved = amount, reserved_in = this_month where g.id = generation;
    end if;
    select coalesce(max(s.spent), 0), coalesce(max(s.reserved), 0) into already_spent, already_reserved
        from public.spending s where s.user_id = who and s.month = this_month;
    return next;
end
$$;

-- However an answer ends, and whoever ends it: nothing stays reserved.
create function release_reservation() returns trigger language plpgsql as $$
begin
    update public.spending s set reserved = s.reserved - old.reserved
        where s.user_id = old.user_id and s.month = old.reserved_in;
    if tg_op = 'DELETE' then
        return old;
    end if;
    new.reserved := 0;
    return new;
end
$$;

create trigger generations_ended before update of state on generations for each row
    when (old.reserved > 0 and new.state in ('completed', 'stopped', 'interrupted', 'failed'))
    execute function release_reservation();
create trigger generations_gone before delete on generations for each row
    when (old.reserved > 0) execute function release_reservation();
