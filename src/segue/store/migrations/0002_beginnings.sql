-- What begins a journey besides an event, and what a publication changed.

-- `zone`: the trait `timezone` where it names a zone that exists; null: the project's. `seed`: the id by which the
-- customer was first known, where that is not the present one; shares and arms hang on it.
alter table customer add column zone text;
alter table customer add column seed text;
update customer set zone = known_zone(json_extract(traits, '$.timezone')) where traits is not null;
create index customer_zone on customer (zone, id) where zone is not null;

-- `since`: when the rule came into the book.
alter table book add column since integer not null default 0;
-- `sources`: the files of the book, deflated JSON. `changes`: JSON of what was added, changed and removed.
alter table publication add column sources blob;
alter table publication add column changes blob;

-- What is watched for every customer: a segment, or a rule that a date of the customer begins (they share one name
-- space). `at` is when that began; customers up to `last` existed then, and those up to `cursor` have been looked at.
-- `definition` is a hash of its meaning; '' where the subject is to be forgotten.
create table watch (
  subject text primary key, definition text not null, at integer not null, cursor integer not null, last integer not null
) without rowid;

-- What is known of one customer: whether they are a member, and when to look again. `since` is the `at` of the watch under
-- which it was written. No row: no member, and nothing to come by time alone.
create table lookout (
  subject text not null, customer integer not null, member integer not null, due integer, since integer not null,
  primary key (subject, customer)
) without rowid;
create index lookout_due on lookout (due) where due is not null;

-- Recurring and dated triggers: the next moment of a rule in a zone ('' is the project's own). While a moment's customers
-- enter, `last` is the newest customer that existed as it came, and those up to `cursor` have had their turn.
create table schedule (
  rule text not null, zone text not null, definition text not null, due integer, cursor integer not null default 0, last integer,
  primary key (rule, zone)
) without rowid;
create index schedule_due on schedule (due) where due is not null;

-- How often a rule with an `expect` was about to be entered, by minute.
create table pace (rule text not null, minute integer not null, n integer not null, primary key (rule, minute)) without rowid;

-- The arm of a split that a customer was given.
create table assignment (
  customer integer not null, rule text not null, split text not null, arm text not null,
  primary key (customer, rule, split)
) without rowid;
-- Of splits that learn: journeys in each arm, those of them that met what it grows towards, and its share now.
create table arm (
  rule text not null, split text not null, arm text not null, assigned integer not null, met integer not null, share real,
  primary key (rule, split, arm)
) without rowid;
