-- A post that is refused, or finds an earlier one with its key, leaves the conversation as it was,
-- and with it its place in the lists: the latest activity is when the newest message was written.
--
-- As in V5, but for that. Components of the previous version take it as it is.
create or replace function post_batch(
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
            client_message_id, client_digest, reply_to_id, created_at)
        values (conversation.id, conversation.message_count, post.sender_id,
            case when post.sender_id is null then 'system' else 'user' end, post.content,
            case when post.sender_id is not null then post.key end,
            case when post.sender_id is not null then digest end,
            post.reply_to_id, conversation.last_activity_at)
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
