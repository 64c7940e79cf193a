-- What is unread, at a cost that does not grow with how much that is: the relay
-- counts for every participant after every burst of messages.

alter table participants
    -- Own messages after the last one read: they are unread to nobody but others.
    add column sent_after_read bigint not null default 0;

-- Every message updates its sender's row: room for that in the page.
alter table participants set (fillfactor = 70);

update participants p set sent_after_read = (
    select count(*) from messages m
    where m.conversation_id = p.conversation_id
      and m.ordinal > p.last_read_ordinal and m.sender_id = p.user_id);

create index messages_tombstones on messages (conversation_id, ordinal)
    where deleted_at is not null;

-- How many messages each participant has not read: by others, not deleted,
-- after the last one read.
create view unread as
select p.conversation_id, p.user_id,
    c.message_count - p.last_read_ordinal - p.sent_after_read - (
        select count(*) from messages m
        where m.conversation_id = p.conversation_id and m.ordinal > p.last_read_ordinal
          and m.deleted_at is not null and m.sender_id is distinct from p.user_id
    ) as count
from participants p join conversations c on c.id = p.conversation_id;

drop function unread_count(participants);
