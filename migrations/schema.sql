-- The schema after all migrations, for readers. `cargo xtask schema` generates it with PostgreSQL 15.

CREATE TYPE public.event_type AS ENUM (
    'new-message',
    'message-edited',
    'message-deleted',
    'message-read',
    'participant-joined',
    'participant-left'
);

CREATE FUNCTION public.rfc3339(at timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN to_char((at AT TIME ZONE 'UTC'::text), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'::text);

CREATE TABLE public.conversations (
    id bigint NOT NULL,
    title text,
    message_count bigint DEFAULT 0 NOT NULL,
    event_seq bigint DEFAULT 0 NOT NULL,
    list_seq bigint DEFAULT 0 NOT NULL,
    relayed_seq bigint DEFAULT 0 NOT NULL,
    unrelayed boolean GENERATED ALWAYS AS ((relayed_seq < event_seq)) STORED NOT NULL,
    relay_lease timestamp with time zone,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    last_activity_at timestamp(3) with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE public.participants (
    conversation_id bigint NOT NULL,
    user_id bigint NOT NULL,
    joined_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    last_read_ordinal bigint DEFAULT 0 NOT NULL,
    sent_after_read bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='70');

CREATE FUNCTION public.conversation_json(c public.conversations) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (((((((('{"id":'::text || (c).id) || ',"title":'::text) || COALESCE((to_json((c).title))::text, 'null'::text)) || ',"participantIds":'::text) || COALESCE((SELECT (('['::text || string_agg((p.user_id)::text, ','::text ORDER BY p.user_id)) || ']'::text) FROM public.participants p WHERE (p.conversation_id = (conversation_json.c).id)), '[]'::text)) || ',"createdAt":"'::text) || public.rfc3339((c).created_at)) || '"}'::text);

CREATE TABLE public.messages (
    id bigint NOT NULL,
    conversation_id bigint NOT NULL,
    ordinal bigint NOT NULL,
    sender_id bigint,
    kind text DEFAULT 'user'::text NOT NULL,
    content text,
    client_message_id text,
    client_digest bytea,
    reply_to_id bigint,
    created_at timestamp(3) with time zone NOT NULL,
    edited_at timestamp(3) with time zone,
    deleted_at timestamp(3) with time zone,
    CONSTRAINT messages_kind CHECK ((kind = ANY (ARRAY['user'::text, 'system'::text]))),
    CONSTRAINT messages_sender CHECK (((kind = 'user'::text) = (sender_id IS NOT NULL))),
    CONSTRAINT messages_tombstone CHECK (((content IS NULL) = (deleted_at IS NOT NULL)))
);

CREATE FUNCTION public.message_json(m public.messages) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ((((((((((((((((((('{"id":'::text || (m).id) || ',"conversationId":'::text) || (m).conversation_id) || ',"ordinal":'::text) || (m).ordinal) || ',"senderId":'::text) || COALESCE(((m).sender_id)::text, 'null'::text)) || ',"kind":"'::text) || (m).kind) || '","content":'::text) || COALESCE((to_json((m).content))::text, 'null'::text)) || COALESCE((',"clientMessageId":'::text || (to_json((m).client_message_id))::text), ''::text)) || COALESCE((',"replyToId":'::text || (m).reply_to_id), ''::text)) || ',"createdAt":"'::text) || public.rfc3339((m).created_at)) || '"'::text) || COALESCE(((',"editedAt":"'::text || public.rfc3339((m).edited_at)) || '"'::text), ''::text)) || COALESCE(((',"deletedAt":"'::text || public.rfc3339((m).deleted_at)) || '"'::text), ''::text)) || '}'::text);

CREATE FUNCTION public.post_messages(conversation_ids bigint[], sender_ids bigint[], contents text[], client_message_ids text[], reply_to_ids bigint[]) RETURNS TABLE(place bigint, message_id bigint, message_ordinal bigint, message text, seq bigint, same boolean)
    LANGUAGE plpgsql
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

ALTER TABLE public.conversations ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.conversations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.events (
    conversation_id bigint NOT NULL,
    seq bigint NOT NULL,
    type public.event_type NOT NULL,
    message_id bigint,
    user_id bigint,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.messages ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.messages_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.reads (
    conversation_id bigint NOT NULL,
    user_id bigint NOT NULL,
    ordinal bigint NOT NULL,
    read_at timestamp(3) with time zone NOT NULL
);

CREATE VIEW public.unread AS
 SELECT p.conversation_id,
    p.user_id,
    (((c.message_count - p.last_read_ordinal) - p.sent_after_read) - ( SELECT count(*) AS count
           FROM public.messages m
          WHERE ((m.conversation_id = p.conversation_id) AND (m.ordinal > p.last_read_ordinal) AND (m.deleted_at IS NOT NULL) AND (m.sender_id IS DISTINCT FROM p.user_id)))) AS count
   FROM (public.participants p
     JOIN public.conversations c ON ((c.id = p.conversation_id)));

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (conversation_id, seq);

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_ordinal UNIQUE (conversation_id, ordinal);

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.participants
    ADD CONSTRAINT participants_pkey PRIMARY KEY (conversation_id, user_id);

ALTER TABLE ONLY public.reads
    ADD CONSTRAINT reads_pkey PRIMARY KEY (conversation_id, user_id, ordinal);

CREATE INDEX conversations_unrelayed ON public.conversations USING btree (id) WHERE unrelayed;

CREATE UNIQUE INDEX messages_client_message_id ON public.messages USING btree (conversation_id, sender_id, client_message_id) WHERE (client_message_id IS NOT NULL);

CREATE INDEX messages_tombstones ON public.messages USING btree (conversation_id, ordinal) WHERE (deleted_at IS NOT NULL);

CREATE INDEX participants_by_user ON public.participants USING btree (user_id);

ALTER TABLE ONLY public.participants
    ADD CONSTRAINT participants_conversation FOREIGN KEY (conversation_id) REFERENCES public.conversations(id);
