-- Search. The words of a content are cut by the component that writes it, and travel with the statement
-- of the change; the database only keeps them. What is found is always the present text.
--
-- Everything here is an expansion: components of the previous version go on working with it. What they
-- post or edit has no words until `cargo xtask reindex` has run, and so have all messages of before.

-- Null in a tombstone, and where the content is not indexed.
alter table messages add column words tsvector;

-- A post adds to the index's list of pending entries, and every search reads through that list.
create index messages_words on messages using gin (words)
    with (gin_pending_list_limit = 1024) where words is not null;

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
--
-- One that is refused or repeated leaves the conversation as it was, with its place in the lists: the
-- latest activity is when the newest message was written.
--
-- `words` are the contents' words, each in the form of a tsvector; null for what is not to be found.
create function post_indexed_batch(
    conversation_ids bigint[], sender_ids bigint[], contents text[], client_message_ids text[],
    reply_to_ids bigint[], key_callers text[], words text[], skip_busy boolean
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
        select * from unnest(conversation_ids, sender_ids, contents, client_message_ids, reply_to_ids, key_callers,
                words)
            with ordinality as p (conversation_id, sender_id, content, key, reply_to_id, key_caller, words, place)
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
                list_seq = c.event_seq - 1,
                last_activity_at = coalesce((
                    select m.created_at from messages m
                    where m.conversation_id = c.id and m.ordinal = c.message_count - 1), c.created_at)
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
            client_message_id, client_digest, reply_to_id, created_at, words)
        values (conversation.id, conversation.message_count, post.sender_id,
            case when post.sender_id is null then 'system' else 'user' end, post.content,
            case when post.sender_id is not null then post.key end,
            case when post.sender_id is not null then digest end,
            post.reply_to_id, conversation.last_activity_at, post.words::tsvector)
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

-- For components of the previous version.
create or replace function post_batch(
    conversation_ids bigint[], sender_ids bigint[], contents text[], client_message_ids text[],
    reply_to_ids bigint[], key_callers text[], skip_busy boolean
) returns table (
    place bigint, outcome text, message_id bigint, message_ordinal bigint, message text, seq bigint,
    version bigint
)
    language plpgsql
as $$
begin
    return query select * from post_indexed_batch(conversation_ids, sender_ids, contents,
        client_message_ids, reply_to_ids, key_callers, null, skip_busy);
end $$;

-- Changes a message's content, and with it its words; only for its sender, or, without a caller, for a
-- service.
--
-- Outcomes: done (with `seq`), unchanged (it has this content), deleted, not_the_sender, no_message.
create function edit_indexed_message(
    a_message bigint, a_caller bigint, a_content text, a_words text,
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
        update messages m set content = a_content, words = a_words::tsvector, edited_at = clock_timestamp()
        where m.id = a_message returning message_json(m.*) into message;
        seq := write_event(conversation_id, 'message-edited', a_message, null, true);
        version := seq;
    end if;
end $$;

-- For components of the previous version: the old words are not those of the new content.
create or replace function edit_message(
    a_message bigint, a_caller bigint, a_content text,
    out outcome text, out conversation_id bigint, out seq bigint, out message text, out version bigint
)
    language plpgsql
as $$
begin
    select e.* into outcome, conversation_id, seq, message, version
    from edit_indexed_message(a_message, a_caller, a_content, null) e;
end $$;

-- As before, but that a tombstone has no words.
create or replace function delete_message(
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
        update messages m set content = null, words = null, deleted_at = clock_timestamp()
        where m.id = a_message returning message_json(m.*) into message;
        seq := write_event(conversation_id, 'message-deleted', a_message, null, true);
        version := seq;
    end if;
end $$;

-- The messages of some conversations that have words, and of which a page of results is made: the first
-- `how_many` behind a key and an id. The key that they are ordered by is the time in milliseconds, or the
-- rank in millionths; of equal ones the newest is first.
--
-- A plan of its own for each search: how many conversations and messages there are decides whether the
-- words are looked up alone or together with the conversations. `has_all` are the words of `query` without
-- their order, because PostgreSQL takes a phrase for rarer than its words, and would read all messages with
-- these.
create function find_messages(
    conversations bigint[], has_all tsquery, query tsquery, by_time boolean, a_sender bigint,
    from_ms bigint, to_ms bigint, after_key bigint, after_id bigint, how_many bigint
) returns table (message text, key bigint, id bigint)
    language plpgsql stable
    set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select message_json(m), f.key, f.id
    from (
        select m.id, k.key
        from messages m
        cross join lateral (
            select case when by_time then (extract(epoch from m.created_at) * 1000)::bigint
                else (ts_rank(m.words, query, 1) * 1000000)::bigint end as key
        ) k
        where m.words @@ has_all and m.conversation_id = any (conversations)
            -- In this form it is not looked up in the index.
            and (m.words @@ query) is true
            and (a_sender is null or m.sender_id = a_sender)
            and (from_ms is null or m.created_at >= timestamptz 'epoch' + from_ms * interval '1 millisecond')
            and (to_ms is null or m.created_at < timestamptz 'epoch' + to_ms * interval '1 millisecond')
            and (after_key is null or (k.key, m.id) < (after_key, after_id))
        order by k.key desc, m.id desc
        limit how_many
    ) f
    cross join lateral (select m.* from messages m where m.id = f.id limit 1) m
    order by f.key desc, f.id desc;
end $$;
