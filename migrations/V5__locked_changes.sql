-- Changes that lock first and decide after. In READ COMMITTED a statement that waits for a row goes
-- on with the snapshot of its start in all sub-selects; a function takes a new snapshot for each of
-- its statements. So every change is one function: it locks the conversation's row in a statement of
-- its own, decides in later ones, and names the outcome.
--
-- Everything here is an expansion: components of the previous version go on working with it.

alter type event_type add value 'conversation-created';

-- Messages deleted by others after the last one read: counted once, not at each look.
alter table participants add column deleted_after_read bigint not null default 0;

update participants p set deleted_after_read = (
    select count(*) from messages m
    where m.conversation_id = p.conversation_id and m.ordinal > p.last_read_ordinal
      and m.deleted_at is not null and m.sender_id is distinct from p.user_id);

-- Whether the participant has ever read, written or been online. Redis holds nothing for others.
alter table participants add column seen boolean not null default true;
alter table participants alter column seen set default false;

-- Users that have been online or have opened an event stream.
create table seen_users (
    user_id bigint not null,
    constraint seen_users_pkey primary key (user_id)
);

-- Where a participant was when they left, so that who comes back has what came since.
create table former_participants (
    conversation_id bigint not null,
    user_id bigint not null,
    last_read_ordinal bigint not null,
    sent_after_read bigint not null,
    -- The event of leaving.
    left_seq bigint not null,
    -- Of the request that removed them: its repetition ends as it did.
    request text,
    constraint former_participants_pkey primary key (conversation_id, user_id)
);

insert into former_participants (conversation_id, user_id, last_read_ordinal, sent_after_read, left_seq)
select l.conversation_id, l.user_id, r.ordinal, (
        select count(*) from messages m
        where m.conversation_id = l.conversation_id and m.ordinal > r.ordinal and m.sender_id = l.user_id),
    l.seq
from (
    select conversation_id, user_id, max(seq) as seq from events
    where type = 'participant-left' group by conversation_id, user_id
) l
cross join lateral (
    select coalesce(max(ordinal), 0) as ordinal from reads r
    where r.conversation_id = l.conversation_id and r.user_id = l.user_id
) r
where not exists (
    select from participants p where p.conversation_id = l.conversation_id and p.user_id = l.user_id);

-- What a key of the header Idempotency-Key stands for. The key is the caller's and the route's.
create table idempotency_keys (
    caller text not null,
    route text not null,
    key text not null,
    digest bytea not null,
    -- The conversation that was created, or the message that was posted.
    result_id bigint,
    created_at timestamptz not null default now(),
    constraint idempotency_keys_pkey primary key (caller, route, key)
);

create index idempotency_keys_age on idempotency_keys (created_at);

-- How far the relay is with each conversation. A table of its own: posters hold the conversation's
-- row, and neither side waits for the other. `conversations.relayed_seq` follows when the row is
-- free, and so `conversations_unrelayed` is where the relay finds its work.
create table relay_progress (
    conversation_id bigint not null,
    relayed_seq bigint not null,
    lease_until timestamptz,
    -- Deliveries that failed in a row, for a reason of the conversation's own.
    failures smallint not null default 0,
    retry_at timestamptz,
    constraint relay_progress_pkey primary key (conversation_id)
) with (fillfactor = 50);

-- Counts what was deleted by others behind the cursor, whenever the cursor is set.
create function count_deleted_after_read() returns trigger
    language plpgsql
as $$
begin
    select count(*) into new.deleted_after_read from messages m
    where m.conversation_id = new.conversation_id and m.ordinal > new.last_read_ordinal
      and m.deleted_at is not null and m.sender_id is distinct from new.user_id;
    return new;
end $$;


create trigger participants_cursor before insert or update of last_read_ordinal on participants
    for each row execute function count_deleted_after_read();

create function count_deletion() returns trigger
    language plpgsql
as $$
begin
    update participants p set deleted_after_read = p.deleted_after_read + 1
    where p.conversation_id = new.conversation_id and p.last_read_ordinal < new.ordinal
      and p.user_id is distinct from new.sender_id;
    return null;
end $$;

create trigger messages_deletion after update of deleted_at on messages
    for each row when (old.deleted_at is null and new.deleted_at is not null)
    execute function count_deletion();

-- How many messages each participant has not read: by others, not deleted, after the last one read.
create or replace view unread as
select p.conversation_id, p.user_id,
    c.message_count - p.last_read_ordinal - p.sent_after_read - p.deleted_after_read as count
from participants p join conversations c on c.id = p.conversation_id;

-- Whether a user takes part, as it is now.
create function takes_part(conversation bigint, "user" bigint) returns boolean
    language sql stable parallel safe
    return exists (
        select from participants p where p.conversation_id = conversation and p.user_id = "user");

-- What an idempotency key stands for, under the key's own lock: a twin waits here for the first one
-- to commit. `outcome` is 'new', 'repeated' or 'conflict'. A key lasts for a day.
create function claim_idempotency_key(
    a_caller text, a_route text, a_key text, a_digest bytea, out outcome text, out result_id bigint
)
    language plpgsql
as $$
declare
    known idempotency_keys;
begin
    insert into idempotency_keys as i (caller, route, key, digest)
    values (a_caller, a_route, a_key, a_digest)
    on conflict on constraint idempotency_keys_pkey do update
    set digest = excluded.digest, result_id = null, created_at = now()
    where i.created_at < now() - interval '24 hours';
    if found then
        outcome := 'new';
        return;
    end if;
    select * into strict known from idempotency_keys i
    where i.caller = a_caller and i.route = a_route and i.key = a_key;
    outcome := case when known.digest = a_digest then 'repeated' else 'conflict' end;
    result_id := known.result_id;
end $$;

-- Posts messages; the n-th elements of the arrays are the n-th message, and `place` says which one a
-- row is about. A message without a sender is the system's; it may have an idempotency key of a
-- caller instead of a client message id.
--
-- Outcomes: done (written, with `seq`), repeated (written before under the same key), conflict (the
-- key was used for another message), no_conversation (there is none, or the sender does not take
-- part), reply_elsewhere (the answered message is of another conversation), busy (with `skip_busy`:
-- another transaction holds the conversation's row). `version` is the seq of the newest event of the
-- conversation that the message's JSON can show.
--
-- The update of the conversation's row counts message and event and orders its writers. Rows are
-- locked in the order of their ids, as by every statement that locks several.
create function post_batch(
    conversation_ids bigint[], sender_ids bigint[], contents text[], client_message_ids text[],
    reply_to_ids bigint[], key_callers text[], skip_busy boolean
) returns table (
    place bigint, outcome text, message_id bigint, message_ordinal bigint, message text, seq bigint,
    version bigint
)
    language plpgsql
    -- Every statement in here finds its rows by their keys.
    set plan_cache_mode = force_generic_plan
as $$
declare
    post record;
    conversation conversations;
    written messages;
    digest bytea;
    known record;
begin
    for post in
        select * from unnest(conversation_ids, sender_ids, contents, client_message_ids, reply_to_ids, key_callers)
            with ordinality as p (conversation_id, sender_id, content, key, reply_to_id, key_caller, place)
        order by p.conversation_id, p.place
    loop
        place := post.place;
        message_id := null; message_ordinal := null; message := null; seq := null; version := null;
        digest := null;

        if skip_busy then
            perform from conversations c where c.id = post.conversation_id
            for no key update skip locked;
            if not found and exists (select from conversations c where c.id = post.conversation_id) then
                outcome := 'busy';
                return next;
                continue;
            end if;
        end if;

        if post.key is not null then
            digest := sha256(convert_to(post.content, 'UTF8'));
        end if;

        update conversations c
        set message_count = c.message_count + 1,
            event_seq = c.event_seq + 1,
            list_seq = c.event_seq + 1,
            last_activity_at = clock_timestamp()
        where c.id = post.conversation_id
            and (post.sender_id is null or exists (
                select from participants p
                where p.conversation_id = post.conversation_id and p.user_id = post.sender_id))
        returning c.* into conversation;
        if not found then
            outcome := 'no_conversation';
            return next;
            continue;
        end if;

        -- The row is locked: what is read from here on is true until the end.
        outcome := 'done';
        version := conversation.event_seq - 1;
        if post.sender_id is not null then
            update participants p set sent_after_read = p.sent_after_read + 1, seen = true
            where p.conversation_id = post.conversation_id and p.user_id = post.sender_id;
            if not found then
                outcome := 'no_conversation';
            end if;
        end if;
        if outcome = 'done' and post.reply_to_id is not null and not exists (
            select from messages r
            where r.id = post.reply_to_id and r.conversation_id = post.conversation_id)
        then
            outcome := 'reply_elsewhere';
        end if;
        if outcome = 'done' and post.key is not null then
            if post.sender_id is null then
                select k.outcome, k.result_id into known from claim_idempotency_key(
                    post.key_caller, 'system-message ' || post.conversation_id, post.key, digest) k;
                if known.outcome <> 'new' then
                    outcome := known.outcome;
                    select m.* into written from messages m where m.id = known.result_id;
                end if;
            else
                select m.* into written from messages m
                where m.conversation_id = post.conversation_id and m.sender_id = post.sender_id
                    and m.client_message_id = post.key;
                if found then
                    outcome := case when written.client_digest = digest
                        and written.reply_to_id is not distinct from post.reply_to_id
                        then 'repeated' else 'conflict' end;
                end if;
            end if;
        end if;

        if outcome <> 'done' then
            update conversations c
            set message_count = c.message_count - 1, event_seq = c.event_seq - 1,
                list_seq = c.event_seq - 1
            where c.id = conversation.id;
            if outcome in ('reply_elsewhere', 'repeated', 'conflict') and post.sender_id is not null then
                update participants p set sent_after_read = p.sent_after_read - 1
                where p.conversation_id = conversation.id and p.user_id = post.sender_id;
            end if;
            if outcome in ('repeated', 'conflict') then
                message_id := written.id;
                message_ordinal := written.ordinal;
                message := message_json(written);
            end if;
            return next;
            continue;
        end if;

        insert into messages (conversation_id, ordinal, sender_id, kind, content,
            client_message_id, client_digest, reply_to_id, created_at)
        values (conversation.id, conversation.message_count, post.sender_id,
            case when post.sender_id is null then 'system' else 'user' end, post.content,
            case when post.sender_id is not null then post.key end,
            case when post.sender_id is not null then digest end,
            post.reply_to_id, clock_timestamp())
        returning * into written;

        insert into events (conversation_id, seq, type, message_id)
        values (conversation.id, conversation.event_seq, 'new-message', written.id);

        if post.sender_id is null and post.key is not null then
            update idempotency_keys i set result_id = written.id
            where i.caller = post.key_caller and i.route = 'system-message ' || post.conversation_id
                and i.key = post.key;
        end if;

        message_id := written.id;
        message_ordinal := written.ordinal;
        message := message_json(written);
        seq := conversation.event_seq;
        version := seq;
        return next;
    end loop;
end $$;

-- Changes a message's content; only for its sender, or, without a caller, for a service.
--
-- Outcomes: done (with `seq`), unchanged (it has this content), deleted, not_the_sender, no_message.
create function edit_message(
    a_message bigint, a_caller bigint, a_content text,
    out outcome text, out conversation_id bigint, out seq bigint, out message text, out version bigint
)
    language plpgsql
as $$
declare
    found_message messages;
begin
    conversation_id := lock_for_change(a_message, a_caller);
    outcome := why_not_changed(a_message, conversation_id, a_caller);
    if outcome is not null then
        return;
    end if;
    select * into strict found_message from messages m where m.id = a_message;
    if found_message.kind <> 'user' then
        outcome := 'not_the_sender';
    elsif found_message.deleted_at is not null then
        outcome := 'deleted';
    elsif found_message.content = a_content then
        outcome := 'unchanged';
        message := message_json(found_message);
        select c.event_seq into version from conversations c where c.id = found_message.conversation_id;
    else
        outcome := 'done';
        update messages m set content = a_content, edited_at = clock_timestamp()
        where m.id = a_message returning message_json(m.*) into message;
        seq := write_event(conversation_id, 'message-edited', a_message, null, true);
        version := seq;
    end if;
end $$;

-- Makes a message a tombstone; only for its sender, or, without a caller, for a service.
--
-- Outcomes: done (with `seq`), unchanged (it is one), not_the_sender, no_message.
create function delete_message(
    a_message bigint, a_caller bigint,
    out outcome text, out conversation_id bigint, out seq bigint, out message text, out version bigint
)
    language plpgsql
as $$
declare
    found_message messages;
begin
    conversation_id := lock_for_change(a_message, a_caller);
    outcome := why_not_changed(a_message, conversation_id, a_caller);
    if outcome is not null then
        return;
    end if;
    select * into strict found_message from messages m where m.id = a_message;
    if found_message.deleted_at is not null then
        outcome := 'unchanged';
        message := message_json(found_message);
        select c.event_seq into version from conversations c where c.id = found_message.conversation_id;
    else
        outcome := 'done';
        update messages m set content = null, deleted_at = clock_timestamp()
        where m.id = a_message returning message_json(m.*) into message;
        seq := write_event(conversation_id, 'message-deleted', a_message, null, true);
        version := seq;
    end if;
end $$;

-- Locks the conversation of a message; null, and nothing is locked, if there is no such message or
-- the caller does not take part.
create function lock_for_change(a_message bigint, a_caller bigint) returns bigint
    language plpgsql
as $$
declare
    conversation bigint;
begin
    select m.conversation_id into conversation from messages m
    where m.id = a_message and (a_caller is null or takes_part(m.conversation_id, a_caller));
    perform from conversations c where c.id = conversation for no key update;
    return conversation;
end $$;

-- Why the caller may not change a message, as it is under the lock; null if they may.
create function why_not_changed(a_message bigint, a_conversation bigint, a_caller bigint) returns text
    language plpgsql
as $$
begin
    return case
        when a_conversation is null then 'no_message'
        when a_caller is null then null
        when not takes_part(a_conversation, a_caller) then 'no_message'
        when exists (select from messages m where m.id = a_message and m.sender_id = a_caller) then null
        else 'not_the_sender'
    end;
end $$;

-- Writes an event of a conversation whose row is locked; its seq.
create function write_event(
    a_conversation bigint, a_type event_type, a_message bigint, a_user bigint, changes_list boolean
) returns bigint
    language plpgsql
as $$
declare
    next_seq bigint;
begin
    update conversations c
    set event_seq = c.event_seq + 1,
        list_seq = case when changes_list then c.event_seq + 1 else c.list_seq end
    where c.id = a_conversation
    returning event_seq into strict next_seq;
    insert into events (conversation_id, seq, type, message_id, user_id)
    values (a_conversation, next_seq, a_type, a_message, a_user);
    return next_seq;
end $$;

-- Moves a participant's cursor to a message, unless it is there already.
--
-- Outcomes: done (with `seq`), unchanged, no_message. `read_at` is when the message was first read.
create function read_message(
    a_message bigint, a_user bigint,
    out outcome text, out conversation_id bigint, out seq bigint, out message text, out read_at text
)
    language plpgsql
as $$
declare
    target messages;
    reader participants;
    newest bigint;
    own_in_range bigint;
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
    -- The shorter side of the cursor's new position is counted.
    if newest - target.ordinal <= target.ordinal - reader.last_read_ordinal then
        select count(*) into reader.sent_after_read from messages m
        where m.conversation_id = target.conversation_id and m.ordinal > target.ordinal
          and m.sender_id = a_user;
    else
        select count(*) into own_in_range from messages m
        where m.conversation_id = target.conversation_id and m.sender_id = a_user
          and m.ordinal > reader.last_read_ordinal and m.ordinal <= target.ordinal;
        reader.sent_after_read := reader.sent_after_read - own_in_range;
    end if;
    update participants p
    set last_read_ordinal = target.ordinal, sent_after_read = reader.sent_after_read, seen = true
    where p.conversation_id = target.conversation_id and p.user_id = a_user;
    insert into reads as r (conversation_id, user_id, ordinal, read_at)
    values (target.conversation_id, a_user, target.ordinal, clock_timestamp())
    returning rfc3339(r.read_at) into read_at;
    seq := write_event(target.conversation_id, 'message-read', a_message, a_user, false);
end $$;

-- Creates a conversation, and with it its first event. With a key, a second call with the same
-- request gives the first one's conversation.
--
-- Outcomes: done (with `seq`), repeated, conflict, too_many (a participant's conversations).
create function create_conversation(
    a_title text, participant_ids bigint[], key_caller text, a_key text, a_digest bytea,
    max_conversations bigint,
    out outcome text, out conversation_id bigint, out seq bigint, out conversation text
)
    language plpgsql
as $$
declare
    known record;
begin
    if a_key is not null then
        select k.outcome, k.result_id into known
        from claim_idempotency_key(key_caller, 'conversations', a_key, a_digest) k;
        if known.outcome <> 'new' then
            outcome := known.outcome;
            conversation_id := known.result_id;
            select conversation_json(c) into conversation from conversations c
            where c.id = known.result_id;
            return;
        end if;
    end if;
    perform from participants p where p.user_id = any (participant_ids)
    group by p.user_id having count(*) >= max_conversations;
    if found then
        outcome := 'too_many';
        delete from idempotency_keys i
        where i.caller = key_caller and i.route = 'conversations' and i.key = a_key;
        return;
    end if;

    outcome := 'done';
    seq := 1;
    insert into conversations as c (title, event_seq) values (a_title, 1)
    returning c.id into conversation_id;
    insert into participants (conversation_id, user_id, seen)
    select create_conversation.conversation_id, u.id,
        exists (select from seen_users s where s.user_id = u.id)
    from unnest(participant_ids) as u (id);
    insert into events (conversation_id, seq, type)
    values (create_conversation.conversation_id, 1, 'conversation-created');
    update idempotency_keys i set result_id = create_conversation.conversation_id
    where i.caller = key_caller and i.route = 'conversations' and i.key = a_key;
    select conversation_json(c) into conversation from conversations c
    where c.id = create_conversation.conversation_id;
end $$;

-- Adds a participant; only for a participant, or, without a caller, for a service. Who joins for the
-- first time has nothing unread; who comes back is where they were.
--
-- Outcomes: done (with `seq`), unchanged, full, too_many (the user's conversations), no_conversation.
create function join_conversation(
    a_conversation bigint, a_user bigint, a_caller bigint,
    max_participants bigint, max_conversations bigint,
    out outcome text, out seq bigint, out conversation text
)
    language plpgsql
as $$
declare
    newest bigint;
    former former_participants;
begin
    if a_caller is not null and not takes_part(a_conversation, a_caller) then
        outcome := 'no_conversation';
        return;
    end if;
    select c.message_count into newest from conversations c
    where c.id = a_conversation for no key update;
    if not found or (a_caller is not null and not takes_part(a_conversation, a_caller)) then
        outcome := 'no_conversation';
    elsif takes_part(a_conversation, a_user) then
        outcome := 'unchanged';
    elsif (select count(*) from participants p where p.conversation_id = a_conversation) >= max_participants then
        outcome := 'full';
    elsif (select count(*) from participants p where p.user_id = a_user) >= max_conversations then
        outcome := 'too_many';
    else
        outcome := 'done';
        delete from former_participants f
        where f.conversation_id = a_conversation and f.user_id = a_user
        returning * into former;
        insert into participants (conversation_id, user_id, last_read_ordinal, sent_after_read, seen)
        values (a_conversation, a_user, coalesce(former.last_read_ordinal, newest),
            coalesce(former.sent_after_read, 0),
            exists (select from seen_users s where s.user_id = a_user));
        seq := write_event(a_conversation, 'participant-joined', null, a_user, false);
    end if;
    if outcome in ('done', 'unchanged') then
        select conversation_json(c) into conversation from conversations c where c.id = a_conversation;
    end if;
end $$;

-- Removes a participant; only for themselves, or, without a caller, for a service. `a_request` names
-- the request, so that its repetition ends as it did.
--
-- Outcomes: done (with `seq`), unchanged (by the same request), not_a_participant, not_oneself,
-- no_conversation.
create function leave_conversation(
    a_conversation bigint, a_user bigint, a_caller bigint, a_request text,
    out outcome text, out seq bigint
)
    language plpgsql
as $$
declare
    leaving participants;
begin
    perform from conversations c
    where c.id = a_conversation and (a_caller is null or takes_part(a_conversation, a_caller)
        or was_removed_by(a_conversation, a_user, a_request))
    for no key update;
    if not found then
        outcome := 'no_conversation';
        return;
    end if;
    if was_removed_by(a_conversation, a_user, a_request) then
        outcome := 'unchanged';
    elsif a_caller is not null and not takes_part(a_conversation, a_caller) then
        outcome := 'no_conversation';
    elsif a_caller is not null and a_caller <> a_user then
        outcome := 'not_oneself';
    else
        delete from participants p where p.conversation_id = a_conversation and p.user_id = a_user
        returning * into leaving;
        if not found then
            outcome := 'not_a_participant';
            return;
        end if;
        outcome := 'done';
        seq := write_event(a_conversation, 'participant-left', null, a_user, false);
        insert into former_participants as f
            (conversation_id, user_id, last_read_ordinal, sent_after_read, left_seq, request)
        values (a_conversation, a_user, leaving.last_read_ordinal, leaving.sent_after_read, seq, a_request)
        on conflict on constraint former_participants_pkey do update
        set last_read_ordinal = excluded.last_read_ordinal, sent_after_read = excluded.sent_after_read,
            left_seq = excluded.left_seq, request = excluded.request;
    end if;
end $$;

create function was_removed_by(a_conversation bigint, a_user bigint, a_request text) returns boolean
    language sql stable
    return exists (
        select from former_participants f
        where f.conversation_id = a_conversation and f.user_id = a_user and f.request = a_request);

-- Since when the cached values of Redis may lack a change that Redis did not take. While the row is
-- there, no host trusts the cache; the relay deletes it once it has delivered what is older.
create table cache_distrust (
    id boolean not null default true,
    -- When the first and the newest missing change were recorded.
    since timestamptz not null,
    newest timestamptz not null,
    constraint cache_distrust_pkey primary key (id),
    constraint cache_distrust_one_row check (id)
);
