-- Of a file of chats: how many of them could not be read.
alter table imports add column left_out integer not null default 0;
