-- What somebody thinks of an answer. The version before knows nothing of it.
create table ratings (
    chat_id    uuid not null,
    message_id uuid not null,
    user_id    uuid not null references users (id) on delete cascade,
    liked      boolean not null,                        -- or disliked
    note       text not null default '',                -- why, if they said
    at         timestamptz not null default now(),
    primary key (chat_id, message_id, user_id),
    foreign key (chat_id, message_id) references messages (chat_id, id) on delete cascade
);

create index ratings_of_user on ratings (user_id);
