-- What a provider's list says of a model beside its name (outside/llm/facts.rs).
alter table models add column facts jsonb not null default '{}';

-- What administrators say of a model, instead of what is known of it otherwise; it stays when the provider stops listing it.
create table model_edits (
    provider text not null,
    name     text not null,
    audience text not null default 'everyone' check (audience in ('everyone', 'administrators', 'nobody')),
    facts    jsonb not null default '{}',
    primary key (provider, name)
);
