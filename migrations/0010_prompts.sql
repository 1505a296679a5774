-- Prompt templates: texts with {{variables}}, private, or shared with everybody by an administrator.
create table prompts (
    id         uuid primary key default uuid7(),
    user_id    uuid not null references users (id) on delete cascade,
    name       text not null,
    text       text not null,
    shared     boolean not null default false,
    created_at timestamptz not null default now(),
    changed_at timestamptz not null default now()
);

create unique index prompts_name on prompts (user_id, lower(name));
create index prompts_shared on prompts (lower(name)) where shared;
