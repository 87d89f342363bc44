-- What of a customer may go now, and has not been called: who competes for a slot of a limit.
drop index message_held;
create index message_waiting on message (customer) where state = 0 and claimed is null;
