-- How many customers came into a segment whose members are kept, and left it, by calendar day in the project's zone.
-- Customers who were in it when it began to be kept came into it on no day.
create table crossing (
  segment text not null, day text not null, entered integer not null, departed integer not null,
  primary key (segment, day)
) without rowid;
