-- Sealed contents. Components may seal contents and titles before they get here; the database treats them
-- as any other text. What it can no longer do is to compare two texts by themselves or by a hash of them,
-- so the digests by which a repeated request is recognised come from the component too, sealed, and go back
-- to it for the decision.
--
-- Everything here is an expansion: components of the previous version go on working with it.

-- Claims an idempotency key of a caller, as claim_idempotency_key does. `known_digest` is the digest of the
-- request that used it first: the outcome `conflict` says only that it is not the same bytes.
create function claim_digested_key(
    a_caller text, a_route text, a_key text, a_digest bytea,
    out outcome text, out result_id bigint, out known_digest bytea
)
    language plpgsql
as $$
begin
    select k.outcome, k.result_id into outcome, result_id
    from claim_idempotency_key(a_caller, a_route, a_key, a_digest) k;
    if outcome <> 'new' then
        select i.digest into known_digest from idempotency_keys i
        where i.caller = a_caller and i.route = a_route and i.key = a_key;
    end if;
end $$;

-- Posts messages, as post_indexed_batch did.
--
-- `digests` has for each message the digest of its content, by which a second post with the same key is
-- recognised; null where the database makes it of the content, which then is in clear. With the outcomes
-- `repeated` and `conflict`, `known_digest` is that of the first post, in hexadecimal, unless the two differ in
-- something else: then it is null. A component that seals digests decides by it.
create function post_digested_batch(
    conversation_ids bigint[], sender_ids bigint[], contents text[], client_message_ids text[],
    reply_to_ids bigint[], key_callers text[], words text[],
    digests text[], skip_busy boolean
) returns table (
    place bigint, outcome text, message_id bigint, message_ordinal bigint, message text, seq bigint,
    version bigint, known_digest text
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
                words, digests)
            with ordinality as p (conversation_id, sender_id, content, key, reply_to_id, key_caller, words, digest,
                place)
        order by p.conversation_id, p.place
    loop
        place := post.place;
        message_id := null; message_ordinal := null; message := null; seq := null; version := null;
        known_digest := null;
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
            digest := coalesce(convert_to(post.digest, 'UTF8'), sha256(convert_to(post.content, 'UTF8')));
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
                select k.* into known from claim_digested_key(
                    post.key_caller, 'system-message ' || post.conversation_id, post.key, digest) k;
                if known.outcome <> 'new' then
                    outcome := known.outcome;
                    known_digest := encode(known.known_digest, 'hex');
                    select m.* into written from messages m where m.id = known.result_id;
                end if;
            else
                select m.* into written from messages m
                where m.conversation_id = post.conversation_id and m.sender_id = post.sender_id
                    and m.client_message_id = post.key;
                if found then
                    outcome := 'conflict';
                    if written.reply_to_id is not distinct from post.reply_to_id then
                        known_digest := encode(written.client_digest, 'hex');
                        if written.client_digest = digest then
                            outcome := 'repeated';
                        end if;
                    end if;
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
create or replace function post_indexed_batch(
    conversation_ids bigint[], sender_ids bigint[], contents text[], client_message_ids text[],
    reply_to_ids bigint[], key_callers text[], words text[], skip_busy boolean
) returns table (
    place bigint, outcome text, message_id bigint, message_ordinal bigint, message text, seq bigint,
    version bigint
)
    language plpgsql
as $$
begin
    return query select p.place, p.outcome, p.message_id, p.message_ordinal, p.message, p.seq, p.version
    from post_digested_batch(conversation_ids, sender_ids, contents, client_message_ids, reply_to_ids,
        key_callers, words, null, skip_busy) p;
end $$;

-- The number of a conversation that is going to be created.
create function next_conversation_id() returns bigint
    language sql
return nextval(pg_get_serial_sequence('conversations', 'id'));

-- Creates a conversation, as create_conversation does. `a_id` is the number that the caller has taken from
-- next_conversation_id, because the title is sealed together with it; null takes the next one.
--
-- Outcomes: done (with `seq`), repeated, conflict (by the digest; `known_digest` as in post_digested_batch),
-- too_many (a participant's conversations).
create function create_numbered_conversation(
    a_id bigint, a_title text, participant_ids bigint[], key_caller text, a_key text, a_digest bytea,
    max_conversations bigint,
    out outcome text, out conversation_id bigint, out seq bigint, out conversation text,
    out known_digest text
)
    language plpgsql
as $$
declare
    known record;
begin
    if a_key is not null then
        select k.* into known from claim_digested_key(key_caller, 'conversations', a_key, a_digest) k;
        if known.outcome <> 'new' then
            outcome := known.outcome;
            known_digest := encode(known.known_digest, 'hex');
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
    conversation_id := coalesce(a_id, next_conversation_id());
    insert into conversations (id, title, event_seq) overriding system value values (conversation_id, a_title, 1);
    insert into participants (conversation_id, user_id, seen)
    select create_numbered_conversation.conversation_id, u.id,
        exists (select from seen_users s where s.user_id = u.id)
    from unnest(participant_ids) as u (id);
    insert into events (conversation_id, seq, type)
    values (create_numbered_conversation.conversation_id, 1, 'conversation-created');
    update idempotency_keys i set result_id = create_numbered_conversation.conversation_id
    where i.caller = key_caller and i.route = 'conversations' and i.key = a_key;
    select conversation_json(c) into conversation from conversations c
    where c.id = create_numbered_conversation.conversation_id;
end $$;

-- For components of the previous version.
create or replace function create_conversation(
    a_title text, participant_ids bigint[], key_caller text, a_key text, a_digest bytea,
    max_conversations bigint,
    out outcome text, out conversation_id bigint, out seq bigint, out conversation text
)
    language plpgsql
as $$
begin
    select c.outcome, c.conversation_id, c.seq, c.conversation
    into outcome, conversation_id, seq, conversation
    from create_numbered_conversation(null, a_title, participant_ids, key_caller, a_key, a_digest,
        max_conversations) c;
end $$;
