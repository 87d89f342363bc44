-- Instants are microseconds since 1970 in UTC. Ids are 16-byte hashes. JSON is kept as it came, in blobs.

create table meta (name text primary key, value) without rowid;

-- Programs: every version that was ever published, so that a journey can keep the one it began with.
create table program (
  id    integer primary key,
  hash  text not null unique,
  rule  text not null,
  body  blob not null
);

-- The rule book that runs now: one program for each rule.
create table book (rule text primary key, program integer not null) without rowid;

-- What was published when: the words and settings of each book, by its content.
create table publication (id integer primary key, at integer not null, who text not null, book blob not null);

-- Names of events, so that a row of history carries a small number.
create table name (id integer primary key, name text not null unique);

-- Customers. `key` is u:USERID, or a:ANONYMOUSID until the customer is known by a user id.
create table customer (
  id       integer primary key,
  key      text not null unique,
  traits   blob,
  consent  blob          -- JSON, the latest of the table consent: see segue.customers.reach
);

-- Further keys of a customer (the anonymous ids of one who signed in).
create table alias (key text primary key, customer integer not null) without rowid;

-- Everything that arrived, in order of arrival. `hash` finds candidates for a duplicate, `message_id` decides.
create table event (
  id         integer primary key,
  hash       integer not null,
  message_id text not null,
  customer   integer,
  name       integer,    -- null: only traits came
  at         integer not null,
  received   integer not null,
  kind       integer not null,   -- 0 a source's, 1 a report on a message, 2 emitted by a rule
  fields     blob,
  rest       blob        -- JSON of what replay needs besides: ids, traits, source
);
create index event_hash on event (hash);
create index event_history on event (customer, name, at) where name is not null;

-- Journeys. `live`: inside, or waiting for a goal after the end.
create table journey (
  id         integer primary key,
  key        blob not null,
  customer   integer not null,
  program    integer not null,
  value      text,
  entered    integer not null,
  "order"    integer not null,
  trigger    blob,
  state      integer not null,   -- 0 inside, 1 finished, 2 exited, 3 failed
  step       integer not null,
  visit      integer not null,
  since      integer not null,
  mark       integer not null,
  due        integer,
  ended      integer,
  reason     text,
  goal_until integer,
  converted  integer,
  worth      text,
  detail     blob,       -- msgpack: sends, reactions, trace
  live       integer not null
);
create index journey_due on journey (due) where due is not null;
create index journey_live on journey (customer, program, state) where live = 1;   -- also answers what is inside, without the rows
create index journey_value on journey (value) where live = 1 and value is not null;
create index journey_past on journey (customer, entered) where live = 0;

-- The latest entry for each customer and `per` value, for rules that say `once`.
create table entry (
  customer integer not null, rule text not null, value text not null, at integer not null,
  primary key (customer, rule, value)
) without rowid;

-- Triggers that began nothing, and why.
create table ignored (
  id integer primary key, customer integer not null, rule text not null, at integer not null, event integer not null, reason text not null
);
create index ignored_customer on ignored (customer);

-- The ledger: one row for each message decided.
create table message (
  id       integer primary key,
  key      blob not null,
  journey  integer not null,
  customer integer not null,
  rule     text not null,
  channel  text not null,
  message  text not null,
  kind     text not null,
  state    integer not null,   -- see segue.delivery.ledger
  due      integer,            -- when it is to be looked at next; null: nothing to do
  decided  integer not null,
  expires  integer not null,
  attempts integer not null default 0,
  doubt    integer not null default 0,   -- 1: a call that was cut off may have reached the provider
  claimed  integer,
  handed   integer,
  settled  integer,
  address  text,
  template text,
  given    blob,               -- JSON: the values that rendering reads, pinned by the claim
  receipt  text,
  reason   text
);
create index message_due on message (channel, due) where due is not null;
create index message_claimed on message (key) where claimed is not null;
create index message_under_way on message (id) where state = 1;   -- what a start looks at again
create index message_receipt on message (channel, receipt) where receipt is not null;
create index message_customer on message (customer, journey);

-- Templates as they were when a message was claimed.
create table template (hash text primary key, body blob not null) without rowid;

-- What customers said about being written to, append-only.
create table consent (
  id integer primary key, customer integer not null, channel text not null, kind text not null, state text not null, at integer not null, source text not null
);
create index consent_customer on consent (customer);

-- Counts for each rule, kept in the transaction that changes what they count.
create table tally (rule text not null, what text not null, reason text not null, n integer not null, primary key (rule, what, reason)) without rowid;
