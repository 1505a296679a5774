-- Answers are set in letters with serifs, as books are.
alter table users add column serif boolean not null default false;
