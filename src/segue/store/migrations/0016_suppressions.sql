-- Whether those who have the address have been looked at again since it was suppressed, or was so no more: a command that
-- writes beside the daemon leaves that to it.
alter table suppression add column followed integer not null default 1;
-- When it came here, where that was later than it was said.
alter table suppression add column received integer;
create index suppression_to_follow on suppression (id) where followed = 0;
