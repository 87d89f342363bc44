-- Names are kept as hashes: one may hold somebody's address. Those of before are noted anew as they come.
drop table undeclared_name;
create table undeclared_name (
  source text not null, sort text not null, name integer not null, primary key (source, sort, name)
) without rowid;

-- When something was left out last.
alter table left_out add column at integer not null default 0;
