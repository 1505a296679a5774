-- When another model answers than the one that was asked for: which that was. Trying again begins with it.
alter table generations add column asked_model text;
