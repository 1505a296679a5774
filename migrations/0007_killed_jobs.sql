-- Jobs that came to nothing are shown to administrators: found without reading a day of those that were done.
create index jobs_killed on apalis.jobs (done_at) where status = 'Killed';
