-- How the clock of each source stands against ours, as of the last look: `state` is right, ahead or behind, `offset` by
-- how many microseconds it is ahead (negative: behind), `share` how many of 1,000 events were dated in the future.
create table source_clock (
  source text primary key, state text not null, offset integer not null, share integer not null, since integer not null
) without rowid;
