-- Past events that `segue import` brings.

-- The files. `identity` is a hash of a file's content and of how it is read. What is read up to `position` lies in pieces
-- below, or was taken in; `refused` are rows that are no events. Of the events taken in, `accepted` were new, `known` had come before,
-- `erased` were of customers who were erased. `starts`: 1 where it may begin journeys.
create table import (
  id       integer primary key,
  identity blob not null unique,
  file     text not null,
  starts   integer not null,
  began    integer not null,
  position text,
  read     integer not null default 0,   -- rows that became events, or were refused
  accepted integer not null default 0,
  known    integer not null default 0,
  erased   integer not null default 0,
  refused  integer not null default 0,
  ended    integer
);

-- Events that were read and wait for whoever holds the store to take them in; those up to `taken` have been. `events` is
-- MessagePack, null once all were; the row is left then where some were refused: `faults` says which, and why.
create table import_piece (
  id integer primary key, import integer not null, events blob, taken integer not null default 0, faults blob
);
create index import_piece_of on import_piece (import);

-- A hash of each message id that was imported: known for good, also when the event itself is kept no more.
create table imported (key blob primary key) without rowid;
