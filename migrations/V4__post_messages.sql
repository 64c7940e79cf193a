-- Posting, for as many messages at once as there are: what a statement costs
-- (its commit, its plan, its way through the network) is shared by all of them.

-- Posts messages; the n-th elements of the arrays are the n-th message. Gives a
-- row for each that was written, and for each that had been written before under
-- its client message id, then without an event; `same` says whether that was the
-- same post. A message gives no row if the conversation is not there, the sender
-- does not take part or the answered message is of another conversation.
--
-- The conversation's row counts message and event and orders its writers; rows
-- are locked in the order of their ids, as by everybody who locks several. The
-- sender's row counts what is theirs and so not unread.
create function post_messages(
    conversation_ids bigint[], sender_ids bigint[], contents text[],
    client_message_ids text[], reply_to_ids bigint[]
) returns table (
    place bigint, message_id bigint, message_ordinal bigint, message text,
    seq bigint, same boolean
)
    language plpgsql
    -- Every statement in here finds its rows by their keys.
    set plan_cache_mode = force_generic_plan
as $$
declare
    post record;
    conversation conversations;
    written messages;
begin
    for post in
        select * from unnest(conversation_ids, sender_ids, contents, client_message_ids, reply_to_ids)
            with ordinality as p (conversation_id, sender_id, content, client_message_id, reply_to_id, place)
        order by p.conversation_id, p.place
    loop
        place := post.place;

        if post.client_message_id is not null then
            perform from conversations c
            where c.id = post.conversation_id and exists (
                select from participants p
                where p.conversation_id = post.conversation_id and p.user_id = post.sender_id)
            for no key update;
            continue when not found;

            select m.* into written from messages m
            where m.conversation_id = post.conversation_id and m.sender_id = post.sender_id
                and m.client_message_id = post.client_message_id;
            if found then
                message_id := written.id;
                message_ordinal := written.ordinal;
                message := message_json(written);
                seq := null;
                same := written.client_digest = sha256(convert_to(post.content, 'UTF8'))
                    and written.reply_to_id is not distinct from post.reply_to_id;
                return next;
                continue;
            end if;
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
            and (post.reply_to_id is null or exists (
                select from messages r
                where r.id = post.reply_to_id and r.conversation_id = post.conversation_id))
        returning c.* into conversation;
        continue when not found;

        insert into messages (conversation_id, ordinal, sender_id, kind, content,
            client_message_id, client_digest, reply_to_id, created_at)
        values (conversation.id, conversation.message_count, post.sender_id,
            case when post.sender_id is null then 'system' else 'user' end, post.content,
            post.client_message_id,
            case when post.client_message_id is not null
                then sha256(convert_to(post.content, 'UTF8')) end,
            post.reply_to_id, clock_timestamp())
        returning * into written;

        update participants p set sent_after_read = p.sent_after_read + 1
        where p.conversation_id = conversation.id and p.user_id = post.sender_id;

        insert into events (conversation_id, seq, type, message_id)
        values (conversation.id, conversation.event_seq, 'new-message', written.id);

        message_id := written.id;
        message_ordinal := written.ordinal;
        message := message_json(written);
        seq := conversation.event_seq;
        same := true;
        return next;
    end loop;
end $$;
