-- The truth of the service: conversations, who takes part, what was said, how
-- far each has read, and one event row for every change that others care about.

create table conversations (
    id bigint generated always as identity,
    title text,
    -- The ordinal of the newest message.
    message_count bigint not null default 0,
    -- The seq of the newest event.
    event_seq bigint not null default 0,
    -- The seq of the newest event that changed what a list of messages shows.
    list_seq bigint not null default 0,
    -- The seq up to which the relay has passed events on.
    relayed_seq bigint not null default 0,
    -- Whether there are events after that. A column, and not the comparison in
    -- the index below: so only a change of the answer touches the index.
    unrelayed boolean not null generated always as (relayed_seq < event_seq) stored,
    -- Until when a relay works on this conversation.
    relay_lease timestamptz,
    created_at timestamptz(3) not null default now(),
    last_activity_at timestamptz(3) not null default now(),
    constraint conversations_pkey primary key (id)
) with (fillfactor = 50); -- Every event updates its row: room for that in the page.

-- Where the relay finds its work. It stays small, because a relayed
-- conversation is not in it.
create index conversations_unrelayed on conversations (id) where unrelayed;

create table participants (
    conversation_id bigint not null,
    user_id bigint not null,
    joined_at timestamptz(3) not null default now(),
    last_read_ordinal bigint not null default 0,
    constraint participants_pkey primary key (conversation_id, user_id),
    constraint participants_conversation foreign key (conversation_id) references conversations (id)
);

create index participants_by_user on participants (user_id);

create table messages (
    id bigint generated always as identity,
    conversation_id bigint not null,
    ordinal bigint not null,
    sender_id bigint,
    kind text not null default 'user',
    -- Null in a tombstone.
    content text,
    client_message_id text,
    -- SHA-256 of the content as first posted, so that a retry is told from a
    -- conflict even after an edit. Only with a client_message_id.
    client_digest bytea,
    reply_to_id bigint,
    created_at timestamptz(3) not null,
    edited_at timestamptz(3),
    deleted_at timestamptz(3),
    constraint messages_pkey primary key (id),
    constraint messages_ordinal unique (conversation_id, ordinal),
    constraint messages_kind check (kind in ('user', 'system')),
    constraint messages_sender check ((kind = 'user') = (sender_id is not null)),
    constraint messages_tombstone check ((content is null) = (deleted_at is not null))
);

create unique index messages_client_message_id
    on messages (conversation_id, sender_id, client_message_id)
    where client_message_id is not null;

create table reads (
    conversation_id bigint not null,
    user_id bigint not null,
    -- The message read, and with it all before it.
    ordinal bigint not null,
    read_at timestamptz(3) not null,
    constraint reads_pkey primary key (conversation_id, user_id, ordinal)
);

create table events (
    conversation_id bigint not null,
    seq bigint not null,
    type text not null,
    -- The message that was posted, edited, deleted or read. Its content is not
    -- copied here: a deleted text is gone everywhere.
    message_id bigint,
    -- Who read, joined or left.
    user_id bigint,
    created_at timestamptz(3) not null default now(),
    constraint events_pkey primary key (conversation_id, seq),
    constraint events_type check (type in (
        'new-message', 'message-edited', 'message-deleted', 'message-read',
        'participant-joined', 'participant-left'
    ))
);

-- RFC 3339 in UTC with milliseconds, the only form of a time that clients see.
create function rfc3339(at timestamptz) returns text
    language sql stable parallel safe
    return to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

-- The one definition of a message's JSON. These bytes go to the client, the
-- cache and the channels as they are. `ordinal` stays before `content`: the
-- scripts of the cached list read it from the text.
create function message_json(m messages) returns text
    language sql stable parallel safe
    return '{"id":' || m.id
        || ',"conversationId":' || m.conversation_id
        || ',"ordinal":' || m.ordinal
        || ',"senderId":' || coalesce(m.sender_id::text, 'null')
        || ',"kind":"' || m.kind
        || '","content":' || coalesce(to_json(m.content)::text, 'null')
        || coalesce(',"clientMessageId":' || to_json(m.client_message_id)::text, '')
        || coalesce(',"replyToId":' || m.reply_to_id, '')
        || ',"createdAt":"' || rfc3339(m.created_at) || '"'
        || coalesce(',"editedAt":"' || rfc3339(m.edited_at) || '"', '')
        || coalesce(',"deletedAt":"' || rfc3339(m.deleted_at) || '"', '')
        || '}';

-- The one definition of a conversation's JSON, without what changes with every
-- message, so that it can be cached.
create function conversation_json(c conversations) returns text
    language sql stable parallel safe
    return '{"id":' || c.id
        || ',"title":' || coalesce(to_json(c.title)::text, 'null')
        || ',"participantIds":' || coalesce(
            (select '[' || string_agg(p.user_id::text, ',' order by p.user_id) || ']'
             from participants p where p.conversation_id = c.id), '[]')
        || ',"createdAt":"' || rfc3339(c.created_at) || '"}';

-- Messages that the participant has not read: by others, not deleted, after
-- the last one read.
create function unread_count(p participants) returns bigint
    language sql stable parallel safe
    return (select count(*) from messages m
            where m.conversation_id = p.conversation_id
              and m.ordinal > p.last_read_ordinal
              and m.sender_id is distinct from p.user_id
              and m.deleted_at is null);
