-- How a person wants to be answered, and how a chat is: what is sent before the conversation, and with it.
alter table users
    add column instructions  text not null default '',       -- the first thing a model is told
    add column default_model text,                           -- provider/name; null: the one asked last
    add column temperature   double precision check (temperature between 0 and 2),
    add column theme         text not null default 'system' check (theme in ('system', 'light', 'dark'));

alter table chats
    add column system_prompt text not null default '',       -- told after the person's own instructions
    add column temperature   double precision check (temperature between 0 and 2); -- wins over the person's
