-- Whose turn it is among the messages of a channel, and which of them have become too late.
create index message_lane on message (channel, state, kind, rule, due) where due is not null;
create index message_expiring on message (channel, expires) where state = 0;

-- Each time that it was put up again after it had come to nothing: JSON, see segue.delivery.ledger.Again.
alter table message add column again blob;
create index message_dead on message (id)
  where (state in (5, 7) or (state = 6 and (reason = 'too late' or substr(reason, 1, 15) = 'no content for ')));

-- How provider accounts stand: what was claimed lately, waits they asked for, the circuit breaker.
create table account (
  name  text primary key,
  state blob not null        -- JSON: see segue.delivery.accounts
) without rowid;

-- Channels and rules that send nothing for now.
create table pause (
  sort  text not null,       -- channel or rule
  name  text not null,
  since integer not null,
  who   text not null,
  note  text not null,
  primary key (sort, name)
) without rowid;
