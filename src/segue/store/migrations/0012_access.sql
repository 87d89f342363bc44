-- Who looked at which customer, append-only. `reader` is the name in segue.toml, `known_by` the kind of identifier that was
-- asked with, never its value; `customer` null: nobody was found.
create table access (
  id integer primary key, at integer not null, reader text not null, role text not null, known_by text not null, customer integer
);
create index access_customer on access (customer) where customer is not null;
