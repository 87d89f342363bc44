-- Calls of a message that came to nothing: JSON, see segue.delivery.ledger.Attempt.
alter table message add column attempted blob;
