-- How far each source that fetches has come: its own words for where to go on from, null where it has none, committed
-- with the events up to there. `at` is when it last brought something.
create table source_position (
  source text primary key, position text, at integer not null
) without rowid;

-- What could not become an event: the newest of each source, with its reason.
create table rejection (
  id     integer primary key,
  source text not null,
  at     integer not null,
  place  text not null,
  reason text not null,
  raw    blob not null
);
create index rejection_source on rejection (source, id);
create index rejection_at on rejection (at);

-- How many there ever were, those that were forgotten or never kept among them.
create table rejected (
  source text primary key, total integer not null
) without rowid;
