-- Erasing customers, and keeping what happened for a time only.

-- What hashes of identifiers are made with (segue.customers.pseudonyms): without it nobody can try out who they stand for.
create table secret (id integer primary key, key blob not null);
insert into secret (id, key) values (1, randomblob(32));

-- Erasures: asked for, going on, done. `state` 0 asked, 1 its rows are being deleted, 2 none is left. `customer` is theirs
-- while rows are left; `deleted` is JSON: how many rows of which table; `purged` is when the write-ahead log was emptied.
-- While rejections that mention them are looked for, `texts` is JSON of what they were known by, `cursor` how far that came.
create table erasure (
  id       integer primary key,
  state    integer not null,
  who      text not null,
  asked    integer not null,
  begun    integer,
  done     integer,
  purged   integer,
  customer integer,
  deleted  blob,
  texts    blob,
  cursor   integer not null default 0
);
create index erasure_open on erasure (state) where state < 2 or purged is null;
create index erasure_customer on erasure (customer) where customer is not null;

-- Whom nothing that happened before `at` brings back, by hash of an identifier.
create table tombstone (hash blob primary key, at integer not null, erasure integer not null) without rowid;

-- What channels are asked to erase or take back. `body` is gone once they answered for good.
create table erasure_call (
  id       integer primary key,
  erasure  integer not null,
  channel  text not null,
  what     text not null,      -- forget, retract
  body     blob,
  due      integer,
  tries    integer not null default 0,
  answered integer,
  answer   text
);
create index erasure_call_due on erasure_call (due) where due is not null;
create index erasure_call_erasure on erasure_call (erasure);

-- The highest numbers of rows that were deleted: no row gets a number that another had.
create table numbered ("table" text primary key, last integer not null) without rowid;

-- What is deleted by age: how far the sweep that goes on has come (null: none does), when the last began and ended, and
-- what was deleted ever.
create table retained (
  sort text primary key, began integer not null, cursor integer, ended integer, deleted integer not null default 0
) without rowid;

-- Arrivals without a name (traits, reports), by customer.
create index event_silent on event (customer) where name is null and customer is not null;
