-- Who is who: see segue.customers.identity. An identifier is u:, x:, e:, p:, t:, w: or a: and its value.

-- `alias` holds every identifier of a customer but the one in customer.key. `shared`: several customers use it, so that
-- what comes under it alone depends on its moment; then it is here also where it is the customer's own key.
alter table alias add column shared integer not null default 0;
create index alias_customer on alias (customer);

-- Identifiers that came together, once for each pair, with the first event that showed them. `other` is the stronger; of
-- two user ids `key` is the previous one.
create table link (
  key text not null, other text not null, at integer not null, message_id text not null,
  primary key (key, other)
) without rowid;
create index link_other on link (other);

-- Identifiers with more links than one person has: a kiosk, a call centre. They link nobody.
create table crowded (key text primary key, at integer not null) without rowid;

-- Pairs of identifiers that were parted by hand, and are never one again.
create table parting (key text not null, other text not null, at integer not null, primary key (key, other)) without rowid;
create index parting_other on parting (other);

-- Parting to be done by whoever holds the store.
create table parting_wanted (id integer primary key, key text not null, at integer not null);

-- Every time two customers were found to be one: what each went by, which two identifiers showed it, in which event.
-- `gone` is the number that the one had who is no more; null where only a visitor got a name.
create table joining (
  id integer primary key, customer integer not null, kept text not null, was text not null, gone integer,
  at integer not null, key text not null, other text not null, message_id text not null
);
create index joining_customer on joining (customer);
create index joining_gone on joining (gone) where gone is not null;

-- Where each trait is from: see segue.customers.traits.
alter table customer add column origins blob;

-- Traits that were kept out, and why.
create table trait_refused (
  trait text not null, source text not null, reason text not null, n integer not null, at integer not null,
  primary key (trait, source, reason)
) without rowid;

-- What was known before: aliases were devices of their customer; addresses identify from now on, that of several customers
-- the first of them.
insert or ignore into link (key, other, at, message_id)
  select alias.key, customer.key, 0, '' from alias join customer on customer.id = alias.customer where alias.key != customer.key;
create temporary table found as
  select address_key(name, json_extract(customer.traits, '$.' || name)) as key, customer.key as other, customer.id as customer
  from customer join (select 'email' as name union all select 'phone' union all select 'push_token' union all select 'web_push_token')
  where customer.traits is not null and json_extract(customer.traits, '$.' || name) is not null;
insert or ignore into link (key, other, at, message_id) select key, other, 0, '' from found where key is not null order by customer;
insert or ignore into alias (key, customer, shared)
  select key, min(customer), count(*) > 1 from found where key is not null group by key;
drop table found;
update customer set zone = derived_zone(traits) where traits is not null and zone is null;
