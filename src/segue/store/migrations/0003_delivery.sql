-- What the contact policy and taking back need to know of a message.
alter table message add column held blob;          -- JSON: each deferral as [when, until, the policy line's words]
alter table message add column checks blob;        -- JSON: the policy lines asked at the latest look, each with the value seen
alter table message add column cost integer;       -- millionths of the currency, while the message counts as spent
alter table message add column currency text;
alter table message add column coupons blob;       -- JSON: [name of the value, pool]
alter table message add column retracting integer; -- since when it is to be taken back
alter table message add column tries integer;      -- calls made to take it back
alter table message add column retracted integer;  -- when that was answered for good

create index message_taken on message (customer, claimed) where claimed is not null;        -- slots of limits and spacing
create index message_held on message (customer) where held is not null and state = 0;       -- who waits for a slot
create index message_retracting on message (id) where state = 9 and due is null;            -- calls that a crash cut off

-- What was spent on messages, by calendar day in the project's zone, in millionths of the currency.
create table spend (
  kind text not null, currency text not null, day text not null, amount integer not null,
  primary key (kind, currency, day)
) without rowid;

-- Codes by pool, in the order in which they are given out. `journey` has the code, null: it is free.
create table coupon (
  id      integer primary key,
  pool    text not null,
  code    text not null,
  journey integer,
  message integer,    -- the first message that carries it
  at      integer,
  unique (pool, code)
);
create index coupon_free on coupon (pool, id) where journey is null;
create index coupon_taken on coupon (journey, pool) where journey is not null;

-- Reactions of each customer, by channel and hour of their own day.
create table reaction (
  customer integer not null, channel text not null, hour integer not null, n integer not null,
  primary key (customer, channel, hour)
) without rowid;
