-- Consent as a ledger with proof; addresses that are suppressed, whoever has them.

-- `at` is when it was said, `received` when it arrived, `event` the id of what brought it.
alter table consent add column basis text not null default '';
alter table consent add column wording text not null default '';
alter table consent add column proof text not null default '';
alter table consent add column event text not null default '';
alter table consent add column received integer;
update consent set basis = 'consent' where state = 'granted';

-- `sort` is the trait that holds such addresses, `address` as it is compared; `channel` '' is every channel that goes
-- there. `message` is the one that showed it. A row holds while `lifted` is null.
create table suppression (
  id       integer primary key,
  sort     text not null,
  address  text not null,
  channel  text not null,
  reason   text not null,   -- see segue.customers.suppression
  detail   text not null,
  source   text not null,
  since    integer not null,
  message  integer,
  lifted   integer
);
create index suppression_address on suppression (sort, address) where lifted is null;
create index suppression_message on suppression (message) where message is not null;

-- Until now a dead address stood with the customer who had it.
insert into suppression (sort, address, channel, reason, detail, source, since, message)
select substr(gone.key, 6), comparable(substr(gone.key, 6), gone.value), '', 'bounced',
       coalesce(substr(said.state, 15), ''), coalesce(said.source, 'provider'), coalesce(said.at, 0),
       (select message.id from message where message.customer = customer.id and message.channel = said.channel
        and message.settled = said.at order by message.id limit 1)
from customer, json_each(customer.consent) as gone
left join consent as said on said.customer = customer.id and said.state like 'address gone: %'
where customer.consent is not null and gone.key like 'gone/%'
group by customer.id, gone.key, said.id;
delete from consent where kind = '';

-- What stands, from the ledger: the latest by the time it was said, of one instant the withdrawal.
update customer set consent = (
  select cast(json_group_object(latest.channel || '/' || latest.kind, json_array(latest.state, latest.at, null)) as blob)
  from (
    select channel, kind, state, at, row_number() over (
      partition by channel, kind order by at desc, state = 'withdrawn' desc
    ) as place
    from consent where consent.customer = customer.id
  ) as latest where latest.place = 1
) where consent is not null;
update customer set consent = null where consent = cast('{}' as blob);
