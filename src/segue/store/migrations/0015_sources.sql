-- How the clock of each source stands against ours, as of the last look: `state` is right, ahead or behind, `offset` by
-- how many microseconds it is ahead (negative: behind), `share` how many of 1,000 events were dated in the future.
create table source_clock (
  source text primary key, state text not null, offset integer not null, share integer not null, since integer not null
) without rowid;

-- Hashes of the names of events and traits that a source has used and nobody declared (`sort`: event, trait), up to a
-- limit: a name may hold somebody's address. And how often something was left out beyond it (event: the event was
-- rejected; trait: it was left out), and when last.
create table undeclared_name (
  source text not null, sort text not null, name integer not null, primary key (source, sort, name)
) without rowid;
create table left_out (
  source text not null, sort text not null, total integer not null, at integer not null, primary key (source, sort)
) without rowid;
