-- Opens and clicks: see segue.delivery.hits. `link` numbers the message's links, 0 is the picture at its end, 65535 the
-- link that nobody sees. `due`: when it is judged whether a person made it. `machine` is why none did; '' where one did,
-- null before it is judged; `known`: the request itself told. `times` counts repetitions, the last of them at `latest`.
create table hit (
  id integer primary key, message integer not null, customer integer not null, what text not null, link integer not null,
  links integer not null, at integer not null, agent text not null, due integer, machine text, known integer not null,
  target text, times integer not null default 1, latest integer not null
);
create index hit_due on hit (due) where due is not null;
create index hit_message on hit (message);
create index hit_customer on hit (customer);

-- What the short codes in plain text stand for, `until` when.
create table short_link (
  code text primary key, key blob not null, customer integer not null, link integer not null, links integer not null,
  target text not null, until integer not null
) without rowid;
create index short_link_customer on short_link (customer);
create index short_link_until on short_link (until);
