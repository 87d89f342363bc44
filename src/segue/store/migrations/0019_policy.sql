-- What of a customer may go now, and has not been called: who competes for a slot of a limit.
drop index message_held;
create index message_waiting on message (customer) where state = 0 and claimed is null;

-- Reactions count by hour of the week from now on, from Monday 00:00 (0 to 167); those until now know only the hour of the
-- day (168 to 191).
update reaction set hour = hour + 168;
-- The same for everybody together: what is known of no customer any more.
create table reaction_total (hour integer primary key, n integer not null) without rowid;
insert into reaction_total select hour, sum(n) from reaction group by hour;
