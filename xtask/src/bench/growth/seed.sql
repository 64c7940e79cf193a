-- Small and large sizes of the same data. Message n of conversation 1 to 7 has the id c * 10,000,000 + n.
-- The sums that triggers keep are computed at the end of each kind of row, which is faster.

alter table messages disable trigger user;

-- 1 and 2: 1,000 and 1,000,000 messages by users 1 to 20, which users 1 to 60 have not read.
-- 3 and 4: as many, read by users 1 and 2 as they came. 5: read by 500 users.
-- 6 and 7: every other message is a tombstone.
create temporary table sizes (conversation_id bigint, messages bigint, senders bigint, readers bigint, read_every bigint);
insert into sizes values
    (1, 1000, 20, 60, null), (2, 1000000, 20, 60, null),
    (3, 1000, 1, 2, 10), (4, 1000000, 1, 2, 2), (5, 1000, 1, 500, 10),
    (6, 1000, 1, 60, null), (7, 200000, 1, 60, null);

insert into conversations (id, message_count, event_seq, list_seq, relayed_seq) overriding system value
select conversation_id, messages, messages, messages, messages from sizes;

insert into messages (id, conversation_id, ordinal, sender_id, content, created_at, deleted_at)
overriding system value
select s.conversation_id * 10000000 + n, s.conversation_id, n, 1 + n % s.senders,
    case when not d.deleted then 'Message ' || n end, now(), case when d.deleted then now() end
from sizes s cross join generate_series(1, s.messages) n
cross join lateral (select s.conversation_id in (6, 7) and n % 2 = 0 as deleted) d;

insert into reads (conversation_id, user_id, ordinal, read_at)
select s.conversation_id, u, n, now()
from sizes s cross join generate_series(1, s.readers) u
cross join generate_series(s.read_every, s.messages, s.read_every) n;

-- 100,001 to 110,010: users 1,000 and 1,010 take part in 10,000 and 10 of them.
insert into conversations (id, message_count, event_seq, list_seq, relayed_seq, last_activity_at)
overriding system value
select 100000 + n, 1, 1, 1, 1, now() - n * interval '1 second' from generate_series(1, 10010) n;

insert into messages (id, conversation_id, ordinal, sender_id, content, created_at)
overriding system value
select 1000000000 + n, 100000 + n, 1, 2000 + n % 100, 'Message ' || n, now()
from generate_series(1, 10010) n;

insert into sent_counts (conversation_id, sender_id, block, count)
select b.conversation_id, b.sender_id, b.block,
    sum(b.count) over (partition by b.conversation_id, b.sender_id order by b.block)
from (
    select conversation_id, sender_id, ordinal >> 8 as block, count(*) as count
    from messages group by conversation_id, sender_id, ordinal >> 8
) b;

insert into tombstone_counts (conversation_id, sender_id, bits, block, count)
select m.conversation_id, s.sender_id, b.bits, m.ordinal >> b.bits, count(*)
from messages m cross join lateral (values (0), (m.sender_id)) s (sender_id)
cross join (values (8), (16)) b (bits)
where m.deleted_at is not null
group by m.conversation_id, s.sender_id, b.bits, m.ordinal >> b.bits;

insert into participants (conversation_id, user_id, last_read_ordinal, sent_after_read, seen)
select s.conversation_id, u, case when s.read_every is null then 0 else s.messages end,
    case when s.read_every is null and u <= s.senders then s.messages / s.senders else 0 end, true
from sizes s cross join generate_series(1, s.readers) u
union all
select 100000 + n, case when n <= 10000 then 1000 else 1010 end, (n % 1000 > 0)::int, 0, true
from generate_series(1, 10010) n
union all
select 100000 + n, 2000 + n % 100, 0, 1, true from generate_series(1, 10010) n;

select setval(pg_get_serial_sequence('messages', 'id'), 2000000000000),
    setval(pg_get_serial_sequence('conversations', 'id'), 1000000);

alter table messages enable trigger user;
drop table sizes;
