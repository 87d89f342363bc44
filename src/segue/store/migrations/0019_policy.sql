-- What of a customer may go now, and has not been called: who competes for a slot of a limit.
drop index message_held;
create index message_waiting on message (customer) where state = 0 and claimed is null;

-- Reactions count by hour of the week from now on, from Monday 00:00 (0 to 167); those until now know only the hour of the
-- day (168 to 191).
update reaction set hour = hour + 168;
-- The same for everybody together: what is known of no customer any more.
create table reaction_total (hour integer primary key, n integer not null) without rowid;
insert into reaction_total select hour, sum(n) from reaction group by hour;

-- Coupons: until when a code holds (null: for ever), and when an event said it was used.
alter table coupon add column expires integer;
alter table coupon add column redeemed integer;
drop index coupon_free;
create index coupon_free on coupon (pool, expires, id) where journey is null;
create index coupon_code on coupon (code collate nocase) where journey is not null;
-- What is said of a pool: how codes are made where none is left, for how long each holds, until when any are given out, and
-- below how many free ones it runs low.
create table pool (
  name text primary key, pattern text, valid integer, until integer, low integer
) without rowid;

-- Products, as events showed them last, and how many customers bought each. `gone`: it cannot be had now.
create table product (
  id     integer primary key,
  key    text not null unique,
  fields blob,
  buyers integer not null default 0,
  gone   integer not null default 0
);
create index product_best on product (buyers desc, id) where buyers > 0 and gone = 0;
-- How many customers bought both of two products, by each of them.
create table bought_together (
  product integer not null, other integer not null, customers integer not null,
  primary key (product, other)
) without rowid;
create index bought_together_most on bought_together (product, customers desc, other);
-- What each customer bought, and what they looked at, when last.
create table interest (
  customer integer not null, product integer not null, bought integer not null, at integer not null,
  primary key (customer, product)
) without rowid;
create index interest_newest on interest (customer, at desc);
