-- Of whom there is much history, and what is kept of it.

-- Customers with many events of a name. Their history is read where it is needed, and aggregates of it are kept.
create table long_history (customer integer not null, name integer not null, primary key (customer, name)) without rowid;

-- What published rules and segments ask of past events. `hash` is of its meaning; null: nobody asks any more, and what was
-- kept is to be dropped. Customers up to `cursor` with a long history of `event` have been counted, up to `last` existed.
create table aggregate (
  id integer primary key, hash text unique, event text not null, cursor integer not null, last integer not null
);

-- The figures of one customer's events of a day in UTC, and of all of them (`day` -1000000, which is written even where
-- there are none: that says that they are counted). `n` counts them, `earliest` and `latest` are when they happened,
-- `detail` is JSON of sums by currency, first and last.
create table aggregate_day (
  aggregate integer not null, customer integer not null, day integer not null,
  n integer not null, earliest integer not null, latest integer not null, detail blob,
  primary key (aggregate, customer, day)
) without rowid;
