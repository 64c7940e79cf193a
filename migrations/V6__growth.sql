-- What a change or a look costs does not grow with what a conversation or a user has gathered: the
-- messages of a range are counted by sums that are kept, and a user's conversations are found by an
-- order that is kept.
--
-- Everything here is an expansion. Triggers keep the sums and the order, so that the components of
-- the previous version keep them too.

-- What is counted here stays as it is until the triggers count along. In the order of the writers.
lock table conversations, participants, messages in share row exclusive mode;

-- How many messages up to the end of a block of 256 ordinals are by a sender; no row for a block
-- without one, and none yet for the block of the newest message. The messages by one sender in a range
-- are then a difference of two lookups, and what is in the blocks at its two ends.
create table sent_counts (
    conversation_id bigint not null,
    sender_id bigint not null,
    block bigint not null,
    count bigint not null,
    constraint sent_counts_pkey primary key (conversation_id, sender_id, block)
);

insert into sent_counts (conversation_id, sender_id, block, count)
select b.conversation_id, b.sender_id, b.block,
    sum(b.count) over (partition by b.conversation_id, b.sender_id order by b.block)
from (
    select m.conversation_id, m.sender_id, m.ordinal >> 8 as block, count(*) as count
    from messages m join conversations c on c.id = m.conversation_id
    where m.sender_id is not null and m.ordinal >> 8 < c.message_count >> 8
    group by m.conversation_id, m.sender_id, m.ordinal >> 8
) b;

-- How many messages before a block are by a sender.
create function sent_before(conversation bigint, sender bigint, a_block bigint) returns bigint
    language plpgsql stable parallel safe
as $$
begin
    return coalesce((
        select s.count from sent_counts s
        where s.conversation_id = conversation and s.sender_id = sender and s.block < a_block
        order by s.block desc limit 1), 0);
end $$;

-- How many messages of a block up to an ordinal in it are by a sender.
create function sent_in_block(conversation bigint, sender bigint, last_ordinal bigint) returns bigint
    language plpgsql stable parallel safe
as $$
begin
    return (
        select count(*) from messages m
        where m.conversation_id = conversation and m.sender_id = sender
          and m.ordinal >= last_ordinal >> 8 << 8 and m.ordinal <= last_ordinal);
end $$;

-- How many messages after an ordinal are by a sender; `newest` is the conversation's newest one.
create function sent_after(conversation bigint, sender bigint, last_ordinal bigint, newest bigint)
    returns bigint
    language plpgsql stable parallel safe
as $$
begin
    return sent_before(conversation, sender, newest >> 8) + sent_in_block(conversation, sender, newest)
        - sent_before(conversation, sender, last_ordinal >> 8)
        - sent_in_block(conversation, sender, last_ordinal);
end $$;

-- Counts a block that is complete: the next message begins another one.
create function count_block(conversation bigint, a_block bigint) returns void
    language plpgsql
as $$
begin
    insert into sent_counts (conversation_id, sender_id, block, count)
    select conversation, m.sender_id, a_block, count(*) + sent_before(conversation, m.sender_id, a_block)
    from messages m
    where m.conversation_id = conversation and m.sender_id is not null
      and m.ordinal >= a_block << 8 and m.ordinal < (a_block + 1) << 8
    group by m.sender_id;
end $$;

-- How many tombstones a block of ordinals has: those of a sender, and with sender 0 all. A block is
-- 2 ^ bits ordinals. The tombstones after an ordinal are the sums of the large blocks behind it, of
-- the small blocks up to the next large one, and the rows up to the next small one.
create table tombstone_counts (
    conversation_id bigint not null,
    sender_id bigint not null,
    bits smallint not null,
    block bigint not null,
    count bigint not null,
    constraint tombstone_counts_pkey primary key (conversation_id, sender_id, bits, block)
) with (fillfactor = 70);

insert into tombstone_counts (conversation_id, sender_id, bits, block, count)
select m.conversation_id, s.sender_id, b.bits, m.ordinal >> b.bits, count(*)
from messages m
cross join lateral (
    select 0 as sender_id union all select m.sender_id where m.sender_id is not null
) s
cross join (values (8), (16)) b (bits)
where m.deleted_at is not null
group by m.conversation_id, s.sender_id, b.bits, m.ordinal >> b.bits;

-- How many tombstones after an ordinal are by a sender, or, with sender 0, by anyone.
create function tombstones_after(conversation bigint, sender bigint, last_ordinal bigint) returns bigint
    language plpgsql stable parallel safe
as $$
begin
    -- Most conversations have none there.
    perform from tombstone_counts t
    where t.conversation_id = conversation and t.sender_id = sender
      and t.bits = 16 and t.block >= last_ordinal >> 16
    limit 1;
    if not found then
        return 0;
    end if;
    return (
        select coalesce(sum(t.count), 0) from tombstone_counts t
        where t.conversation_id = conversation and t.sender_id = sender
          and t.bits = 16 and t.block > last_ordinal >> 16
    ) + (
        select coalesce(sum(t.count), 0) from tombstone_counts t
        where t.conversation_id = conversation and t.sender_id = sender
          and t.bits = 8 and t.block > last_ordinal >> 8
          and t.block < ((last_ordinal >> 16) + 1) << 8
    ) + (
        select count(*) from messages m
        where m.conversation_id = conversation and m.deleted_at is not null
          and m.ordinal > last_ordinal and m.ordinal < ((last_ordinal >> 8) + 1) << 8
          and (sender = 0 or m.sender_id = sender)
    );
end $$;

create or replace function count_deleted_after_read() returns trigger
    language plpgsql
as $$
begin
    new.deleted_after_read := tombstones_after(new.conversation_id, 0, new.last_read_ordinal);
    if new.deleted_after_read > 0 then
        new.deleted_after_read := new.deleted_after_read
            - tombstones_after(new.conversation_id, new.user_id, new.last_read_ordinal);
    end if;
    return new;
end $$;

-- Counts a message that is a tombstone now.
create function count_tombstone(conversation bigint, sender bigint, an_ordinal bigint) returns void
    language plpgsql
as $$
begin
    insert into tombstone_counts as t (conversation_id, sender_id, bits, block, count)
    select conversation, s.sender_id, b.bits, an_ordinal >> b.bits, 1
    from (values (0), (sender)) s (sender_id) cross join (values (8), (16)) b (bits)
    where s.sender_id is not null
    order by s.sender_id, b.bits
    on conflict on constraint tombstone_counts_pkey do update set count = t.count + 1;

    update participants p set deleted_after_read = p.deleted_after_read + 1
    where p.conversation_id = conversation and p.last_read_ordinal < an_ordinal
      and p.user_id is distinct from sender;
end $$;

-- A message became a tombstone.
create or replace function count_deletion() returns trigger
    language plpgsql
as $$
begin
    perform count_tombstone(new.conversation_id, new.sender_id, new.ordinal);
    return null;
end $$;

-- A statement that writes a message holds the conversation's row, and the message is its newest. One trigger
-- without a condition: PostgreSQL reads conditions anew for each statement.
create function message_written() returns trigger
    language plpgsql
as $$
begin
    if new.ordinal & 255 = 0 then
        perform count_block(new.conversation_id, (new.ordinal >> 8) - 1);
    end if;
    if new.deleted_at is not null then
        perform count_tombstone(new.conversation_id, new.sender_id, new.ordinal);
    end if;
    return new;
end $$;

create trigger messages_written before insert on messages
    for each row execute function message_written();

-- Moves a participant's cursor to a message, unless it is there already.
--
-- Outcomes: done (with `seq`), unchanged, no_message. `read_at` is when the message was first read.
create or replace function read_message(
    a_message bigint, a_user bigint,
    out outcome text, out conversation_id bigint, out seq bigint, out message text, out read_at text
)
    language plpgsql
    -- Every statement in here finds its rows by their keys.
    set plan_cache_mode = force_generic_plan
as $$
declare
    target messages;
    reader participants;
    newest bigint;
begin
    select m.* into target from messages m
    where m.id = a_message and takes_part(m.conversation_id, a_user);
    if not found then
        outcome := 'no_message';
        return;
    end if;
    conversation_id := target.conversation_id;
    select * into reader from participants p
    where p.conversation_id = target.conversation_id and p.user_id = a_user;
    -- A cursor never goes back: what is read is read without a lock.
    if reader.last_read_ordinal < target.ordinal then
        select c.message_count into newest from conversations c
        where c.id = target.conversation_id for no key update;
        select * into reader from participants p
        where p.conversation_id = target.conversation_id and p.user_id = a_user;
        if not found then
            outcome := 'no_message';
            return;
        end if;
    end if;
    select message_json(m) into message from messages m where m.id = a_message;
    if reader.last_read_ordinal >= target.ordinal then
        outcome := 'unchanged';
        select rfc3339(r.read_at) into read_at from reads r
        where r.conversation_id = target.conversation_id and r.user_id = a_user
          and r.ordinal >= target.ordinal
        order by r.ordinal limit 1;
        -- Read before joining: the joining is all there is to say about it.
        read_at := coalesce(read_at, rfc3339(reader.joined_at));
        return;
    end if;

    outcome := 'done';
    -- Nothing of one's own after the old position: nothing after the new one.
    if reader.sent_after_read > 0 then
        reader.sent_after_read :=
            sent_after(target.conversation_id, a_user, target.ordinal, newest);
    end if;
    update participants p
    set last_read_ordinal = target.ordinal, sent_after_read = reader.sent_after_read, seen = true
    where p.conversation_id = target.conversation_id and p.user_id = a_user;
    insert into reads as r (conversation_id, user_id, ordinal, read_at)
    values (target.conversation_id, a_user, target.ordinal, clock_timestamp())
    returning rfc3339(r.read_at) into read_at;
    seq := write_event(target.conversation_id, 'message-read', a_message, a_user, false);
end $$;

-- A user's conversations in the order of their activity, and which of them may have something to
-- read. A conversation's rows are written while its own row is locked, after messages came and the
-- relay has passed on what there is: until then the conversation is `unlisted` and its rows are out
-- of date. What is not unlisted is exact: `active_at` is the activity of the conversation, and
-- without `unread` there is nothing to read.
create table listings (
    user_id bigint not null,
    conversation_id bigint not null,
    active_at timestamptz(3) not null,
    unread boolean not null,
    constraint listings_pkey primary key (conversation_id, user_id)
) with (fillfactor = 70);

insert into listings (user_id, conversation_id, active_at, unread)
select p.user_id, p.conversation_id, c.last_activity_at, u.count > 0
from participants p join conversations c on c.id = p.conversation_id
join unread u on u.conversation_id = p.conversation_id and u.user_id = p.user_id;

create index listings_by_activity on listings (user_id, active_at desc, conversation_id desc);
create index listings_unread on listings (user_id) where unread;

-- What the listings show of the conversation.
alter table conversations
    add column listed_count bigint not null default 0,
    add column listed_at timestamptz(3) not null default now();

update conversations c set listed_count = c.message_count, listed_at = c.last_activity_at;

alter table conversations add column unlisted boolean not null generated always as
    (listed_count <> message_count or listed_at <> last_activity_at) stored;

create index conversations_unlisted on conversations (id) where unlisted;

-- The unlisted conversations of a user. There are few while the relay keeps up: then each is looked up
-- among the user's. With more of them those of the user are looked through.
create function unlisted_conversations(a_user bigint) returns setof bigint
    language plpgsql stable rows 10
as $$
declare
    few constant integer := 256;
begin
    if (select count(*) from (select from conversations c where c.unlisted limit few + 1) c) > few then
        return query select l.conversation_id from listings l
            cross join lateral (
                select from conversations c where c.id = l.conversation_id and c.unlisted limit 1) c
            where l.user_id = a_user;
    else
        return query select c.id from conversations c
            cross join lateral (
                select from listings l where l.conversation_id = c.id and l.user_id = a_user limit 1) l
            where c.unlisted;
    end if;
end $$;

-- A new conversation has no listings that could be out of date.
create function start_listing() returns trigger
    language plpgsql
as $$
begin
    new.listed_count := new.message_count;
    new.listed_at := new.last_activity_at;
    return new;
end $$;

create trigger conversations_start_listing before insert on conversations
    for each row execute function start_listing();

-- The relay has passed on what there is of a conversation. That of a large one is listed at most
-- every ten seconds: each listing writes a row for each participant.
create function list_conversation() returns trigger
    language plpgsql
as $$
declare
    many constant integer := 32;
begin
    if now() - new.listed_at < interval '10 seconds' and (
        select count(*) from (
            select from participants p where p.conversation_id = new.id limit many + 1) p) > many
    then
        return new;
    end if;
    update listings l
    set active_at = new.last_activity_at,
        unread = new.message_count > p.last_read_ordinal + p.sent_after_read + p.deleted_after_read
    from participants p
    where p.conversation_id = new.id and l.conversation_id = new.id and l.user_id = p.user_id;
    new.listed_count := new.message_count;
    new.listed_at := new.last_activity_at;
    return new;
end $$;

create trigger conversations_listing before update of relayed_seq on conversations
    for each row when (new.relayed_seq >= new.event_seq
        and (new.listed_count <> new.message_count or new.listed_at <> new.last_activity_at))
    execute function list_conversation();

create function list_participants() returns trigger
    language plpgsql
as $$
begin
    insert into listings (user_id, conversation_id, active_at, unread)
    select p.user_id, p.conversation_id, c.last_activity_at,
        c.message_count > p.last_read_ordinal + p.sent_after_read + p.deleted_after_read
    from joined p join conversations c on c.id = p.conversation_id
    on conflict on constraint listings_pkey do nothing;
    return null;
end $$;

create trigger participants_joined after insert on participants
    referencing new table as joined for each statement execute function list_participants();

-- Components of before do not record where a participant was; `leave_conversation` completes the row.
create function unlist_participants() returns trigger
    language plpgsql
as $$
begin
    delete from listings l using departed p
    where l.conversation_id = p.conversation_id and l.user_id = p.user_id;
    insert into former_participants as f
        (conversation_id, user_id, last_read_ordinal, sent_after_read, left_seq)
    select p.conversation_id, p.user_id, p.last_read_ordinal, p.sent_after_read, c.event_seq
    from departed p join conversations c on c.id = p.conversation_id
    on conflict on constraint former_participants_pkey do update
    set last_read_ordinal = excluded.last_read_ordinal, sent_after_read = excluded.sent_after_read,
        left_seq = excluded.left_seq, request = null;
    return null;
end $$;

create trigger participants_departed after delete on participants
    referencing old table as departed for each statement execute function unlist_participants();

-- The cursor moved: what there is to read may have become nothing.
create function list_unread() returns trigger
    language plpgsql
as $$
begin
    update listings l set unread = u.unread
    from (
        select c.message_count > new.last_read_ordinal + new.sent_after_read + new.deleted_after_read as unread
        from conversations c where c.id = new.conversation_id
    ) u
    where l.conversation_id = new.conversation_id and l.user_id = new.user_id and l.unread <> u.unread;
    return null;
end $$;

create trigger participants_cursor_moved after update of last_read_ordinal on participants
    for each row when (old.last_read_ordinal <> new.last_read_ordinal)
    execute function list_unread();

-- As before, but planned once a session. PostgreSQL cannot inline an SQL function with a subquery, and
-- plans it anew for each statement that calls it.
create or replace function takes_part(conversation bigint, "user" bigint) returns boolean
    language plpgsql stable parallel safe
as $$
begin
    return exists (
        select from participants p where p.conversation_id = conversation and p.user_id = "user");
end $$;

create or replace function conversation_json(c conversations) returns text
    language plpgsql stable parallel safe
as $$
begin
    return '{"id":' || c.id
        || ',"title":' || coalesce(to_json(c.title)::text, 'null')
        || ',"participantIds":' || coalesce(
            (select '[' || string_agg(p.user_id::text, ',' order by p.user_id) || ']'
             from participants p where p.conversation_id = c.id), '[]')
        || ',"createdAt":"' || rfc3339(c.created_at) || '"}';
end $$;
