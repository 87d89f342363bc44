-- Carts whose source only reports their changes: see segue.customers.carts. `due`: when the cart is to be looked at.
-- `cart` is '' where the source names none; `state` is the rest of it, JSON.
create table cart (
  customer integer not null, source text not null, cart text not null, touched integer not null, due integer not null,
  state blob not null,
  primary key (customer, source, cart)
) without rowid;
create index cart_due on cart (due);
