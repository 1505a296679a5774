-- The processes that share this database, as the administrators' page of the system shows them. No promise rests on it.
create unlogged table processes (
    id      uuid primary key,
    kind    text not null,                              -- 'serve', 'serve --no-jobs', 'work'
    host    text not null,
    pid     integer not null,
    version text not null,
    began   timestamptz not null default now(),
    seen    timestamptz not null default now()
);
