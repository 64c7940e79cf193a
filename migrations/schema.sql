-- The schema after all migrations, for readers. `cargo xtask schema` generates it with PostgreSQL 15.

CREATE TYPE public.event_type AS ENUM (
    'new-message',
    'message-edited',
    'message-deleted',
    'message-read',
    'participant-joined',
    'participant-left',
    'conversation-created',
    'conversation-changed'
);

CREATE FUNCTION public.change_conversation(a_conversation bigint, a_caller bigint, sets_title boolean, a_title text, sets_retention boolean, days integer, keeps boolean, allows boolean, an_actor text, a_request text, OUT outcome text, OUT seq bigint, OUT conversation text) RETURNS record
    LANGUAGE plpgsql
    AS $$
declare
    before conversations;
    after conversations;
    erased bigint := 0;
begin
    select * into before from conversations c
    where c.id = a_conversation and (a_caller is null or takes_part(a_conversation, a_caller))
    for no key update;
    if not found or (a_caller is not null and not takes_part(a_conversation, a_caller)) then
        outcome := 'no_conversation';
        return;
    end if;
    after := before;
    if sets_title then after.title := a_title; end if;
    if sets_retention then after.retention_days := days; end if;
    after.keeps_revisions := coalesce(keeps, before.keeps_revisions);
    after.assistant := coalesce(allows, before.assistant);
    if after is not distinct from before then
        outcome := 'unchanged';
        conversation := conversation_json(before);
        return;
    end if;

    outcome := 'done';
    update conversations c
    set title = after.title, retention_days = after.retention_days,
        keeps_revisions = after.keeps_revisions, assistant = after.assistant,
        -- A shorter time may be over for messages that were kept by a longer one.
        retained_ordinal = case when sets_retention then 0 else c.retained_ordinal end
    where c.id = a_conversation;
    if before.keeps_revisions and not after.keeps_revisions and before.holds = 0 then
        erased := erase_revisions(a_conversation);
    end if;
    if (before.retention_days, before.keeps_revisions)
        is distinct from (after.retention_days, after.keeps_revisions)
    then
        perform write_audit(an_actor, a_request, 'policy-changed', 'conversation:' || a_conversation,
            jsonb_build_object(
                'retentionDays', after.retention_days,
                'revisions', case when after.keeps_revisions then 'keep' else 'erase' end,
                'erasedRevisions', erased));
    end if;
    seq := write_event(a_conversation, 'conversation-changed', null, null, false);
    select conversation_json(c) into conversation from conversations c where c.id = a_conversation;
end $$;

CREATE FUNCTION public.claim_digested_key(a_caller text, a_route text, a_key text, a_digest bytea, OUT outcome text, OUT result_id bigint, OUT known_digest bytea) RETURNS record
    LANGUAGE plpgsql
    AS $$
begin
    select k.outcome, k.result_id into outcome, result_id
    from claim_idempotency_key(a_caller, a_route, a_key, a_digest) k;
    if outcome <> 'new' then
        select i.digest into known_digest from idempotency_keys i
        where i.caller = a_caller and i.route = a_route and i.key = a_key;
    end if;
end $$;

CREATE FUNCTION public.claim_idempotency_key(a_caller text, a_route text, a_key text, a_digest bytea, OUT outcome text, OUT result_id bigint) RETURNS record
    LANGUAGE plpgsql
    AS $$
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
    last_activity_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    listed_count bigint DEFAULT 0 NOT NULL,
    listed_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    unlisted boolean GENERATED ALWAYS AS (((listed_count <> message_count) OR (listed_at <> last_activity_at))) STORED NOT NULL,
    retention_days integer,
    keeps_revisions boolean DEFAULT true NOT NULL,
    assistant boolean DEFAULT false NOT NULL,
    holds integer DEFAULT 0 NOT NULL,
    retained_ordinal bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');

CREATE FUNCTION public.conversation_json(c public.conversations) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
begin
    return '{"id":' || c.id
        || ',"title":' || coalesce(to_json(c.title)::text, 'null')
        || ',"participantIds":' || coalesce(
            (select '[' || string_agg(p.user_id::text, ',' order by p.user_id) || ']'
             from participants p where p.conversation_id = c.id), '[]')
        || ',"retentionDays":' || coalesce(c.retention_days::text, 'null')
        || ',"revisions":' || case when c.keeps_revisions then '"keep"' else '"erase"' end
        || ',"assistant":' || c.assistant::text
        || ',"createdAt":"' || rfc3339(c.created_at) || '"}';
end $$;

CREATE FUNCTION public.count_block(conversation bigint, a_block bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    insert into sent_counts (conversation_id, sender_id, block, count)
    select conversation, m.sender_id, a_block, count(*) + sent_before(conversation, m.sender_id, a_block)
    from messages m
    where m.conversation_id = conversation and m.sender_id is not null
      and m.ordinal >= a_block << 8 and m.ordinal < (a_block + 1) << 8
    group by m.sender_id;
end $$;

CREATE FUNCTION public.count_deleted_after_read() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    new.deleted_after_read := tombstones_after(new.conversation_id, 0, new.last_read_ordinal);
    if new.deleted_after_read > 0 then
        new.deleted_after_read := new.deleted_after_read
            - tombstones_after(new.conversation_id, new.user_id, new.last_read_ordinal);
    end if;
    return new;
end $$;

CREATE FUNCTION public.count_deletion() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform count_tombstone(new.conversation_id, new.sender_id, new.ordinal);
    return null;
end $$;

CREATE FUNCTION public.count_due(default_days integer, at_most integer) RETURNS bigint
    LANGUAGE sql STABLE
    AS $$
    select count(*) from (
        select from conversations c
        cross join lateral (
            select from messages m
            where m.conversation_id = c.id and m.ordinal > c.retained_ordinal and m.deleted_at is null
                and m.created_at < retention_limit(c, default_days)
        ) m
        where c.holds = 0 and (c.retention_days > 0 or c.retention_days is null and default_days > 0)
        limit at_most
    ) due
$$;

CREATE FUNCTION public.count_tombstone(conversation bigint, sender bigint, an_ordinal bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.create_conversation(a_title text, participant_ids bigint[], key_caller text, a_key text, a_digest bytea, max_conversations bigint, OUT outcome text, OUT conversation_id bigint, OUT seq bigint, OUT conversation text) RETURNS record
    LANGUAGE plpgsql
    AS $$
begin
    select c.outcome, c.conversation_id, c.seq, c.conversation
    into outcome, conversation_id, seq, conversation
    from create_numbered_conversation(null, a_title, participant_ids, key_caller, a_key, a_digest,
        max_conversations) c;
end $$;

CREATE FUNCTION public.create_numbered_conversation(a_id bigint, a_title text, participant_ids bigint[], key_caller text, a_key text, a_digest bytea, max_conversations bigint, OUT outcome text, OUT conversation_id bigint, OUT seq bigint, OUT conversation text, OUT known_digest text) RETURNS record
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.delete_message(a_message bigint, a_caller bigint, OUT outcome text, OUT conversation_id bigint, OUT seq bigint, OUT message text, OUT version bigint) RETURNS record
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.due_webhooks() RETURNS TABLE(id bigint)
    LANGUAGE plpgsql
    AS $$
begin
    return query select w.id from webhooks w
    where w.due_at <= clock_timestamp() and w.disabled_at is null
        and (w.lease_until is null or w.lease_until < clock_timestamp())
    order by w.due_at;
end $$;

CREATE FUNCTION public.edit_indexed_message(a_message bigint, a_caller bigint, a_content text, a_words text, OUT outcome text, OUT conversation_id bigint, OUT seq bigint, OUT message text, OUT version bigint) RETURNS record
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.edit_message(a_message bigint, a_caller bigint, a_content text, OUT outcome text, OUT conversation_id bigint, OUT seq bigint, OUT message text, OUT version bigint) RETURNS record
    LANGUAGE plpgsql
    AS $$
begin
    select e.* into outcome, conversation_id, seq, message, version
    from edit_indexed_message(a_message, a_caller, a_content, null) e;
end $$;

CREATE FUNCTION public.end_session(an_id bigint, a_subject text, expiry timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    insert into ended_sessions (id, subject, ended_at, expires_at)
    values (an_id, a_subject, clock_timestamp(), expiry)
    on conflict (id) do nothing;
    delete from ended_sessions e where e.id in (
        select o.id from ended_sessions o where o.expires_at < clock_timestamp() - interval '1 day'
        order by o.expires_at limit 20 for update skip locked);
end $$;

CREATE FUNCTION public.erase_revisions(a_conversation bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
    erased bigint;
begin
    delete from revisions r where r.conversation_id = a_conversation;
    get diagnostics erased = row_count;
    return erased;
end $$;

CREATE FUNCTION public.find_messages(conversations bigint[], has_all tsquery, query tsquery, by_time boolean, a_sender bigint, from_ms bigint, to_ms bigint, after_key bigint, after_id bigint, how_many bigint) RETURNS TABLE(message text, key bigint, id bigint)
    LANGUAGE plpgsql STABLE
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
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

CREATE FUNCTION public.finish_relay(ids bigint[], seqs bigint[], leases bigint[], failed bigint[]) RETURNS TABLE(work text, subject bigint)
    LANGUAGE plpgsql
    AS $$
begin
    -- A server that forgets this has the same events delivered again.
    perform set_config('synchronous_commit', 'off', true);
    with result as (
        select l.id, l.seq, l.failures,
            timestamptz 'epoch' + l.lease * interval '1 microsecond' as lease
        from unnest(ids, seqs, leases, failed) as l (id, seq, lease, failures)
    ), finished as (
        update relay_progress r
        set relayed_seq = greatest(r.relayed_seq, l.seq),
            lease_until = null,
            failures = case l.failures when 0 then 0
                else least(r.failures + coalesce(l.failures, 0), 30000) end,
            retry_at = case l.failures when 1
                then now() + least(interval '1 second' * 2 ^ least(r.failures, 10), interval '10 minutes') end
        from result l
        where r.conversation_id = l.id and r.lease_until = l.lease
        returning r.conversation_id, r.relayed_seq
    )
    update conversations c set relayed_seq = f.relayed_seq
    from (
        select f.conversation_id, f.relayed_seq from finished f
        join conversations c on c.id = f.conversation_id
        where c.event_seq = f.relayed_seq
        order by c.id for no key update of c skip locked
    ) f
    where c.id = f.conversation_id and c.event_seq = f.relayed_seq;

    return query select 'figures', null::bigint from live_figures f where f.due_at <= now();
end $$;

CREATE FUNCTION public.finish_relay_and_queue(ids bigint[], befores bigint[], seqs bigint[], leases bigint[], failed bigint[]) RETURNS TABLE(work text, subject bigint)
    LANGUAGE plpgsql
    AS $$
declare
    done record;
begin
    -- A server that forgets this has the same events delivered again.
    perform set_config('synchronous_commit', 'off', true);
    with result as (
        select l.id, l.before, l.seq, l.failures,
            timestamptz 'epoch' + l.lease * interval '1 microsecond' as lease
        from unnest(ids, befores, seqs, leases, failed) as l (id, before, seq, lease, failures)
    ), finished as (
        update relay_progress r
        set relayed_seq = greatest(r.relayed_seq, l.seq),
            lease_until = null,
            failures = case l.failures when 0 then 0
                else least(r.failures + coalesce(l.failures, 0), 30000) end,
            retry_at = case l.failures when 1
                then now() + least(interval '1 second' * 2 ^ least(r.failures, 10), interval '10 minutes') end
        from result l
        where r.conversation_id = l.id and r.lease_until = l.lease
        returning r.conversation_id, l.before, r.relayed_seq
    ), followed as (
        update conversations c set relayed_seq = f.relayed_seq
        from (
            select f.conversation_id, f.relayed_seq from finished f
            join conversations c on c.id = f.conversation_id
            where c.event_seq = f.relayed_seq
            order by c.id for no key update of c skip locked
        ) f
        where c.id = f.conversation_id and c.event_seq = f.relayed_seq
    )
    select array_agg(f.conversation_id) as ids, array_agg(f.before) as befores,
        array_agg(f.relayed_seq) as seqs
    into done from finished f;

    if exists (select from webhooks w where w.disabled_at is null) then
        perform queue_deliveries(done.ids, done.befores, done.seqs);
        return query select 'webhook', w.id from due_webhooks() w;
    end if;
    return query select 'figures', null::bigint from live_figures f where f.due_at <= now();
end $$;

CREATE FUNCTION public.finish_webhook(a_webhook bigint, a_lease bigint, outcome text, schedule bigint[]) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
    longest constant interval :=
        (select sum(s.seconds) from unnest(schedule) as s (seconds)) * interval '1 second';
    receiver webhooks;
    expired_in bigint[];
    next timestamptz;
begin
    select * into receiver from webhooks w where w.id = a_webhook for no key update;
    if receiver.lease_until is distinct from timestamptz 'epoch' + a_lease * interval '1 microsecond' then
        return -1;
    end if;
    if outcome = 'gone' then
        receiver.disabled_at := clock_timestamp();
        update webhook_deliveries d
        set state = 'disabled', next_at = null, updated_at = clock_timestamp()
        where d.webhook_id = a_webhook and d.state in ('pending', 'failed');
    elsif outcome = 'failing' then
        receiver.failures := receiver.failures + 1;
        receiver.retry_at := clock_timestamp() + interval '1 second'
            * schedule[least(receiver.failures, cardinality(schedule))];
        -- What waited for as long as the whole schedule was not tried only because others failed.
        with expired as (
            update webhook_deliveries d
            set state = 'dead', next_at = null, updated_at = clock_timestamp(),
                error = coalesce(d.error, 'the receiver failed for as long as deliveries are tried')
            where d.webhook_id = a_webhook and d.state in ('pending', 'failed')
                and d.queued_at + longest < clock_timestamp()
            returning d.conversation_id
        )
        select array_agg(e.conversation_id) into expired_in from expired e;
        perform set_heads(a_webhook, expired_in);
    end if;
    delete from webhook_deliveries d where d.ctid = any (array(
        select o.ctid from webhook_deliveries o
        where o.state = 'delivered' and o.updated_at < now() - interval '7 days' limit 1000));
    select min(d.next_at) into next from webhook_deliveries d
    where d.webhook_id = a_webhook and d.next_at is not null;
    if next is not null then
        next := greatest(next, receiver.retry_at);
    end if;
    update webhooks w
    set lease_until = null, disabled_at = receiver.disabled_at, failures = receiver.failures,
        retry_at = receiver.retry_at, due_at = next
    where w.id = a_webhook;
    return greatest(ceil(extract(epoch from next - clock_timestamp()) * 1000), 0)::bigint;
end $$;

CREATE TABLE public.holds (
    id bigint NOT NULL,
    conversation_id bigint NOT NULL,
    reason text NOT NULL,
    placed_by text NOT NULL,
    placed_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
    released_by text,
    released_at timestamp(3) with time zone,
    key text NOT NULL
);

CREATE FUNCTION public.hold_json(h public.holds) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    select json_build_object('id', h.id, 'reason', h.reason, 'placedBy', h.placed_by,
        'placedAt', rfc3339(h.placed_at))::text
$$;

CREATE FUNCTION public.join_conversation(a_conversation bigint, a_user bigint, a_caller bigint, max_participants bigint, max_conversations bigint, OUT outcome text, OUT seq bigint, OUT conversation text) RETURNS record
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.join_conversation(a_conversation bigint, a_user bigint, a_caller bigint, max_participants bigint, max_conversations bigint, an_actor text, a_request text, OUT outcome text, OUT seq bigint, OUT conversation text) RETURNS record
    LANGUAGE plpgsql
    AS $$
begin
    select j.* into outcome, seq, conversation
    from join_conversation(a_conversation, a_user, a_caller, max_participants, max_conversations) j;
    if outcome = 'done' then
        perform write_audit(an_actor, a_request, 'participant-added', 'conversation:' || a_conversation,
            jsonb_build_object('userId', a_user));
    end if;
end $$;

CREATE FUNCTION public.keep_revision() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    insert into revisions (message_id, revision, conversation_id, content, at, replaced_by)
    select old.id, 1 + coalesce((select max(r.revision) from revisions r where r.message_id = old.id), 0),
        old.conversation_id, old.content, coalesce(old.edited_at, old.created_at),
        nullif(current_setting('messaging.caller', true), '')::bigint
    from conversations c
    where c.id = old.conversation_id and (c.keeps_revisions or c.holds > 0);
    return null;
end $$;

CREATE FUNCTION public.leave_conversation(a_conversation bigint, a_user bigint, a_caller bigint, a_request text, OUT outcome text, OUT seq bigint) RETURNS record
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.leave_conversation(a_conversation bigint, a_user bigint, a_caller bigint, a_key text, an_actor text, a_request text, OUT outcome text, OUT seq bigint) RETURNS record
    LANGUAGE plpgsql
    AS $$
begin
    select l.* into outcome, seq from leave_conversation(a_conversation, a_user, a_caller, a_key) l;
    if outcome = 'done' then
        perform write_audit(an_actor, a_request, 'participant-removed', 'conversation:' || a_conversation,
            jsonb_build_object('userId', a_user));
    end if;
end $$;

CREATE FUNCTION public.list_conversation() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.list_participants() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    insert into listings (user_id, conversation_id, active_at, unread)
    select p.user_id, p.conversation_id, c.last_activity_at,
        c.message_count > p.last_read_ordinal + p.sent_after_read + p.deleted_after_read
    from joined p join conversations c on c.id = p.conversation_id
    on conflict on constraint listings_pkey do nothing;
    return null;
end $$;

CREATE FUNCTION public.list_unread() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    update listings l set unread = u.unread
    from (
        select c.message_count > new.last_read_ordinal + new.sent_after_read + new.deleted_after_read as unread
        from conversations c where c.id = new.conversation_id
    ) u
    where l.conversation_id = new.conversation_id and l.user_id = new.user_id and l.unread <> u.unread;
    return null;
end $$;

CREATE FUNCTION public.lock_for_change(a_message bigint, a_caller bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
    conversation bigint;
begin
    perform set_config('messaging.caller', coalesce(a_caller::text, ''), true);
    select m.conversation_id into conversation from messages m
    where m.id = a_message and (a_caller is null or takes_part(m.conversation_id, a_caller));
    perform from conversations c where c.id = conversation for no key update;
    return conversation;
end $$;

CREATE FUNCTION public.rfc3339(at timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN to_char((at AT TIME ZONE 'UTC'::text), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'::text);

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
    words tsvector,
    CONSTRAINT messages_kind CHECK ((kind = ANY (ARRAY['user'::text, 'system'::text]))),
    CONSTRAINT messages_sender CHECK (((kind = 'user'::text) = (sender_id IS NOT NULL))),
    CONSTRAINT messages_tombstone CHECK (((content IS NULL) = (deleted_at IS NOT NULL)))
);

CREATE FUNCTION public.message_json(m public.messages) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ((((((((((((((((((('{"id":'::text || (m).id) || ',"conversationId":'::text) || (m).conversation_id) || ',"ordinal":'::text) || (m).ordinal) || ',"senderId":'::text) || COALESCE(((m).sender_id)::text, 'null'::text)) || ',"kind":"'::text) || (m).kind) || '","content":'::text) || COALESCE((to_json((m).content))::text, 'null'::text)) || COALESCE((',"clientMessageId":'::text || (to_json((m).client_message_id))::text), ''::text)) || COALESCE((',"replyToId":'::text || (m).reply_to_id), ''::text)) || ',"createdAt":"'::text) || public.rfc3339((m).created_at)) || '"'::text) || COALESCE(((',"editedAt":"'::text || public.rfc3339((m).edited_at)) || '"'::text), ''::text)) || COALESCE(((',"deletedAt":"'::text || public.rfc3339((m).deleted_at)) || '"'::text), ''::text)) || '}'::text);

CREATE FUNCTION public.message_written() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if new.ordinal & 255 = 0 then
        perform count_block(new.conversation_id, (new.ordinal >> 8) - 1);
    end if;
    if new.deleted_at is not null then
        perform count_tombstone(new.conversation_id, new.sender_id, new.ordinal);
    end if;
    return new;
end $$;

CREATE FUNCTION public.next_conversation_id() RETURNS bigint
    LANGUAGE sql
    RETURN nextval((pg_get_serial_sequence('conversations'::text, 'id'::text))::regclass);

CREATE FUNCTION public.place_hold(a_conversation bigint, a_reason text, a_key text, an_actor text, a_request text) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
    placed holds;
begin
    perform from conversations c where c.id = a_conversation for no key update;
    if not found then
        return null;
    end if;
    insert into holds (conversation_id, reason, placed_by, key)
    values (a_conversation, a_reason, an_actor, a_key)
    on conflict on constraint holds_key do nothing
    returning * into placed;
    if found then
        update conversations c set holds = c.holds + 1 where c.id = a_conversation;
        perform write_audit(an_actor, a_request, 'hold-placed', 'conversation:' || a_conversation,
            jsonb_build_object('holdId', placed.id, 'reason', a_reason));
    else
        select * into strict placed from holds h where h.conversation_id = a_conversation and h.key = a_key;
    end if;
    return hold_json(placed);
end $$;

CREATE FUNCTION public.post_batch(conversation_ids bigint[], sender_ids bigint[], contents text[], client_message_ids text[], reply_to_ids bigint[], key_callers text[], skip_busy boolean) RETURNS TABLE(place bigint, outcome text, message_id bigint, message_ordinal bigint, message text, seq bigint, version bigint)
    LANGUAGE plpgsql
    AS $$
begin
    return query select * from post_indexed_batch(conversation_ids, sender_ids, contents,
        client_message_ids, reply_to_ids, key_callers, null, skip_busy);
end $$;

CREATE FUNCTION public.post_digested_batch(conversation_ids bigint[], sender_ids bigint[], contents text[], client_message_ids text[], reply_to_ids bigint[], key_callers text[], words text[], digests text[], skip_busy boolean) RETURNS TABLE(place bigint, outcome text, message_id bigint, message_ordinal bigint, message text, seq bigint, version bigint, known_digest text)
    LANGUAGE plpgsql
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

CREATE FUNCTION public.post_indexed_batch(conversation_ids bigint[], sender_ids bigint[], contents text[], client_message_ids text[], reply_to_ids bigint[], key_callers text[], words text[], skip_busy boolean) RETURNS TABLE(place bigint, outcome text, message_id bigint, message_ordinal bigint, message text, seq bigint, version bigint)
    LANGUAGE plpgsql
    AS $$
begin
    return query select p.place, p.outcome, p.message_id, p.message_ordinal, p.message, p.seq, p.version
    from post_digested_batch(conversation_ids, sender_ids, contents, client_message_ids, reply_to_ids,
        key_callers, words, null, skip_busy) p;
end $$;

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

CREATE FUNCTION public.queue_deliveries(ids bigint[], befores bigint[], seqs bigint[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    receivers bigint[];
begin
    select array_agg(distinct w.id) into receivers
    from unnest(ids, befores, seqs) as c (id, before, seq)
    join events e on e.conversation_id = c.id and e.seq > c.before and e.seq <= c.seq
    join webhooks w on w.disabled_at is null and e.type::text = any (w.events);
    if receivers is null then
        return;
    end if;
    perform from webhooks w where w.id = any (receivers) order by w.id for no key update;
    insert into webhook_deliveries
        (webhook_id, conversation_id, seq, type, message_id, user_id, created_at, next_at)
    select w.id, e.conversation_id, e.seq, e.type, e.message_id, e.user_id, e.created_at,
        case when row_number() over (partition by w.id, e.conversation_id order by e.seq) = 1
            and not exists (
                select from webhook_deliveries d
                where d.webhook_id = w.id and d.conversation_id = e.conversation_id
                    and d.state in ('pending', 'failed'))
            then clock_timestamp() end
    from unnest(ids, befores, seqs) as c (id, before, seq)
    join events e on e.conversation_id = c.id and e.seq > c.before and e.seq <= c.seq
    join webhooks w on w.id = any (receivers) and w.disabled_at is null and e.type::text = any (w.events)
    on conflict on constraint webhook_deliveries_pkey do nothing;
    update webhooks w set due_at = greatest(now(), w.retry_at)
    where w.id = any (receivers) and (w.due_at is null or w.due_at > greatest(now(), w.retry_at));
end $$;

CREATE FUNCTION public.read_message(a_message bigint, a_user bigint, OUT outcome text, OUT conversation_id bigint, OUT seq bigint, OUT message text, OUT read_at text) RETURNS record
    LANGUAGE plpgsql
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

CREATE FUNCTION public.redeliver(a_webhook bigint, after_ms bigint, states text[]) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
    requeued bigint;
begin
    perform from webhooks w where w.id = a_webhook for no key update;
    if not found then
        return null;
    end if;
    update webhook_deliveries d
    set state = 'pending', attempts = 0, next_at = null, queued_at = now(), updated_at = clock_timestamp()
    where d.webhook_id = a_webhook and d.state = any (states)
        and d.created_at >= timestamptz 'epoch' + after_ms * interval '1 millisecond';
    get diagnostics requeued = row_count;
    perform set_heads(a_webhook, array(
        select d.conversation_id from webhook_deliveries d
        where d.webhook_id = a_webhook and d.state in ('pending', 'failed')));
    update webhooks w set disabled_at = null, failures = 0, retry_at = null, due_at = now()
    where w.id = a_webhook;
    return requeued;
end $$;

CREATE FUNCTION public.refuse_change_of_audit() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'the audit trail is append-only';
end $$;

CREATE FUNCTION public.release_hold(a_conversation bigint, a_hold bigint, an_actor text, a_request text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
declare
    erased bigint := 0;
    conversation conversations;
begin
    perform from conversations c where c.id = a_conversation for no key update;
    update holds h set released_by = an_actor, released_at = clock_timestamp()
    where h.id = a_hold and h.conversation_id = a_conversation and h.released_at is null;
    if not found then
        return exists (select from holds h where h.id = a_hold and h.conversation_id = a_conversation);
    end if;
    update conversations c set holds = c.holds - 1 where c.id = a_conversation returning * into conversation;
    if conversation.holds = 0 and not conversation.keeps_revisions then
        erased := erase_revisions(a_conversation);
    end if;
    perform write_audit(an_actor, a_request, 'hold-released', 'conversation:' || a_conversation,
        jsonb_build_object('holdId', a_hold, 'erasedRevisions', erased));
    return true;
end $$;

CREATE FUNCTION public.retain(default_days integer, at_most integer, an_actor text, a_request text) RETURNS TABLE(conversation_id bigint, message_id bigint, seq bigint)
    LANGUAGE plpgsql
    AS $$
declare
    conversations_at_most constant integer := 500;
    candidate bigint;
    position bigint;
    seen integer := 0;
    erased integer := 0;
    erased_here integer;
begin
    select p.next_conversation into position from retention_progress p for update;
    for candidate in
        select c.id from conversations c
        where c.id >= position and c.retention_days > 0
            or c.id >= position and default_days > 0 and c.retention_days is null
        order by c.id limit conversations_at_most
    loop
        seen := seen + 1;
        erased_here := 0;
        position := candidate + 1;
        for conversation_id, message_id, seq in
            select candidate, r.message_id, r.seq
            from retain_conversation(candidate, default_days, at_most - erased) r
        loop
            erased_here := erased_here + 1;
            return next;
        end loop;
        erased := erased + erased_here;
        if erased_here > 0 then
            perform write_audit(an_actor, a_request, 'messages-erased', 'conversation:' || candidate,
                jsonb_build_object('count', erased_here));
        end if;
        if erased >= at_most then
            position := candidate;
            exit;
        end if;
    end loop;
    update retention_progress p
    set next_conversation = case when seen < conversations_at_most and erased < at_most then 0 else position end;
end $$;

CREATE FUNCTION public.retain_conversation(a_conversation bigint, default_days integer, at_most integer) RETURNS TABLE(message_id bigint, seq bigint)
    LANGUAGE plpgsql
    AS $$
declare
    young constant integer := 256;
    conversation conversations;
    limit_at timestamptz;
    target record;
    left_over integer := at_most;
    younger integer := 0;
    done_up_to bigint;
begin
    select * into conversation from conversations c where c.id = a_conversation for no key update skip locked;
    limit_at := retention_limit(conversation, default_days);
    if limit_at is null then
        return;
    end if;
    done_up_to := conversation.retained_ordinal;
    for target in
        select m.id, m.ordinal, m.created_at < limit_at as is_due, m.deleted_at is null as has_text
        from messages m
        where m.conversation_id = a_conversation and m.ordinal > conversation.retained_ordinal
        order by m.ordinal
    loop
        -- Messages are in the order of time but for imported ones.
        if not target.is_due then
            younger := younger + 1;
            exit when younger > young;
            continue;
        end if;
        exit when left_over = 0;
        if younger = 0 then
            done_up_to := target.ordinal;
        end if;
        if target.has_text then
            update messages m
            set content = null, words = null, deleted_at = clock_timestamp(), client_digest = null
            where m.id = target.id;
            message_id := target.id;
            seq := write_event(a_conversation, 'message-deleted', target.id, null, true);
            left_over := left_over - 1;
            return next;
        end if;
        delete from revisions r where r.message_id = target.id;
    end loop;
    update conversations c set retained_ordinal = done_up_to
    where c.id = a_conversation and c.retained_ordinal < done_up_to;
end $$;

CREATE FUNCTION public.retention_limit(c public.conversations, default_days integer) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
    select case when c.holds = 0 and coalesce(c.retention_days, default_days) > 0
        then now() - make_interval(days => coalesce(c.retention_days, default_days)) end
$$;

CREATE FUNCTION public.revisions_json(a_message bigint, sees_all boolean) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    select '[' || string_agg(r.revision_json, ',' order by r.revision desc) || ']'
    from (
        select n.number as revision, json_build_object(
            'revision', n.number, 'content', m.content,
            'at', rfc3339(coalesce(m.deleted_at, m.edited_at, m.created_at)),
            'by', coalesce(last.replaced_by, case when last.revision is null then m.sender_id end))::text
            as revision_json
        from messages m
        left join lateral (
            select r.* from revisions r where r.message_id = m.id order by r.revision desc limit 1
        ) last on true
        cross join lateral (select coalesce(last.revision, 0) + 1 as number) n
        where m.id = a_message
        union all
        select r.revision, json_build_object(
            'revision', r.revision, 'content', r.content, 'at', rfc3339(r.at),
            'by', case when before.revision is null then m.sender_id else before.replaced_by end)::text
        from revisions r
        join messages m on m.id = r.message_id
        left join revisions before on before.message_id = r.message_id and before.revision = r.revision - 1
        where r.message_id = a_message and (sees_all or m.deleted_at is null)
    ) r
$$;

CREATE FUNCTION public.revoke_all(a_subject text, issued_before timestamp with time zone) RETURNS TABLE(generation bigint, tokens_before_ms bigint)
    LANGUAGE plpgsql
    AS $$
begin
    return query
    insert into revocations as r (subject, generation, tokens_before, changed_at)
    values (a_subject, 1, issued_before, clock_timestamp())
    on conflict (subject) do update
    set generation = r.generation + 1,
        tokens_before = greatest(r.tokens_before, excluded.tokens_before),
        changed_at = clock_timestamp()
    returning r.generation, unix_ms(r.tokens_before);
end $$;

CREATE FUNCTION public.sent_after(conversation bigint, sender bigint, last_ordinal bigint, newest bigint) RETURNS bigint
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
begin
    return sent_before(conversation, sender, newest >> 8) + sent_in_block(conversation, sender, newest)
        - sent_before(conversation, sender, last_ordinal >> 8)
        - sent_in_block(conversation, sender, last_ordinal);
end $$;

CREATE FUNCTION public.sent_before(conversation bigint, sender bigint, a_block bigint) RETURNS bigint
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
begin
    return coalesce((
        select s.count from sent_counts s
        where s.conversation_id = conversation and s.sender_id = sender and s.block < a_block
        order by s.block desc limit 1), 0);
end $$;

CREATE FUNCTION public.sent_in_block(conversation bigint, sender bigint, last_ordinal bigint) RETURNS bigint
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
begin
    return (
        select count(*) from messages m
        where m.conversation_id = conversation and m.sender_id = sender
          and m.ordinal >= last_ordinal >> 8 << 8 and m.ordinal <= last_ordinal);
end $$;

CREATE FUNCTION public.set_heads(a_webhook bigint, conversations bigint[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    update webhook_deliveries d
    set next_at = case when d.seq = h.seq then coalesce(d.next_at, clock_timestamp()) end
    from (select distinct c.id from unnest(conversations) as c (id)) c
    cross join lateral (
        select w.seq from webhook_deliveries w
        where w.webhook_id = a_webhook and w.conversation_id = c.id and w.state in ('pending', 'failed')
        order by w.seq limit 1
    ) h
    where d.webhook_id = a_webhook and d.conversation_id = c.id and d.state in ('pending', 'failed')
        and (d.next_at is not null) <> (d.seq = h.seq);
end $$;

CREATE FUNCTION public.settle_deliveries(a_webhook bigint, conversations bigint[], seqs bigint[], tried bigint[], outcomes text[], statuses bigint[], errors text[], schedule bigint[]) RETURNS TABLE(conversation_id bigint, seq bigint, error text)
    LANGUAGE plpgsql
    AS $$
declare
    longest constant interval :=
        (select sum(s.seconds) from unnest(schedule) as s (seconds)) * interval '1 second';
    succeeded bigint;
begin
    -- A server that forgets this has the same deliveries made again.
    perform set_config('synchronous_commit', 'off', true);
    perform from webhooks w where w.id = a_webhook for no key update;
    return query
    with result as (
        select * from unnest(conversations, seqs, tried, outcomes, statuses, errors)
            as r (conversation, seq, tried, outcome, status, error)
    ), settled as (
        update webhook_deliveries d
        set state = n.state,
            attempts = d.attempts + 1,
            next_at = case n.state when 'failed'
                then clock_timestamp() + schedule[d.attempts + 1] * interval '1 second' end,
            status = r.status,
            error = r.error,
            updated_at = clock_timestamp()
        from result r
        join webhook_deliveries o on o.webhook_id = a_webhook and o.conversation_id = r.conversation
            and o.seq = r.seq
        cross join lateral (
            select case
                when r.outcome = 'delivered' then 'delivered'
                when o.attempts >= cardinality(schedule) or o.queued_at + longest < clock_timestamp() then 'dead'
                else 'failed' end as state
        ) n
        where d.webhook_id = a_webhook and d.conversation_id = r.conversation and d.seq = r.seq
            and d.attempts = r.tried and d.state in ('pending', 'failed')
        returning d.conversation_id, d.seq, d.state, d.error
    )
    select s.conversation_id, s.seq, s.error from settled s where s.state = 'dead';
    perform set_heads(a_webhook, conversations);
    select count(*) into succeeded from unnest(outcomes) as o (outcome) where o.outcome = 'delivered';
    if succeeded > 0 then
        update webhooks w set delivered = w.delivered + succeeded, failures = 0, retry_at = null
        where w.id = a_webhook;
    end if;
end $$;

CREATE FUNCTION public.start_listing() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    new.listed_count := new.message_count;
    new.listed_at := new.last_activity_at;
    return new;
end $$;

CREATE FUNCTION public.takes_part(conversation bigint, "user" bigint) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
begin
    return exists (
        select from participants p where p.conversation_id = conversation and p.user_id = "user");
end $$;

CREATE FUNCTION public.tombstones_after(conversation bigint, sender bigint, last_ordinal bigint) RETURNS bigint
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
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

CREATE FUNCTION public.unix_ms(at timestamp with time zone) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ select coalesce(floor(extract(epoch from at) * 1000), 0)::bigint $$;

CREATE FUNCTION public.unlist_participants() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.unlisted_conversations(a_user bigint) RETURNS SETOF bigint
    LANGUAGE plpgsql STABLE ROWS 10
    AS $$
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

CREATE TABLE public.former_participants (
    conversation_id bigint NOT NULL,
    user_id bigint NOT NULL,
    last_read_ordinal bigint NOT NULL,
    sent_after_read bigint NOT NULL,
    left_seq bigint NOT NULL,
    request text
);

CREATE FUNCTION public.was_removed_by(a_conversation bigint, a_user bigint, a_request text) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN (EXISTS (SELECT FROM public.former_participants f WHERE ((f.conversation_id = was_removed_by.a_conversation) AND (f.user_id = was_removed_by.a_user) AND (f.request = was_removed_by.a_request))));

CREATE FUNCTION public.why_not_changed(a_message bigint, a_conversation bigint, a_caller bigint) RETURNS text
    LANGUAGE plpgsql
    AS $$
begin
    return case
        when a_conversation is null then 'no_message'
        when a_caller is null then null
        when not takes_part(a_conversation, a_caller) then 'no_message'
        when exists (select from messages m where m.id = a_message and m.sender_id = a_caller) then null
        else 'not_the_sender'
    end;
end $$;

CREATE FUNCTION public.write_audit(an_actor text, a_request text, an_action text, a_subject text, a_detail jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    insert into audit (actor, action, subject, request_id, detail)
    values (an_actor, an_action, a_subject, a_request, coalesce(a_detail, '{}'));
end $$;

CREATE FUNCTION public.write_event(a_conversation bigint, a_type public.event_type, a_message bigint, a_user bigint, changes_list boolean) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
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

CREATE TABLE public.audit (
    id bigint NOT NULL,
    at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
    xact xid8 DEFAULT pg_current_xact_id() NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    request_id text NOT NULL,
    detail jsonb NOT NULL
);

ALTER TABLE public.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.cache_distrust (
    id boolean DEFAULT true NOT NULL,
    since timestamp with time zone NOT NULL,
    newest timestamp with time zone NOT NULL,
    CONSTRAINT cache_distrust_one_row CHECK (id)
);

ALTER TABLE public.conversations ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.conversations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.ended_sessions (
    id bigint NOT NULL,
    subject text NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE public.events (
    conversation_id bigint NOT NULL,
    seq bigint NOT NULL,
    type public.event_type NOT NULL,
    message_id bigint,
    user_id bigint,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    xact xid8 DEFAULT pg_current_xact_id() NOT NULL
);

ALTER TABLE public.holds ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.holds_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.idempotency_keys (
    caller text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    digest bytea NOT NULL,
    result_id bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.listings (
    user_id bigint NOT NULL,
    conversation_id bigint NOT NULL,
    active_at timestamp(3) with time zone NOT NULL,
    unread boolean NOT NULL
)
WITH (fillfactor='70');

CREATE TABLE public.live_figures (
    id boolean DEFAULT true NOT NULL,
    due_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    CONSTRAINT live_figures_one_row CHECK (id)
);

ALTER TABLE public.messages ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.messages_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.participants (
    conversation_id bigint NOT NULL,
    user_id bigint NOT NULL,
    joined_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    last_read_ordinal bigint DEFAULT 0 NOT NULL,
    sent_after_read bigint DEFAULT 0 NOT NULL,
    deleted_after_read bigint DEFAULT 0 NOT NULL,
    seen boolean DEFAULT false NOT NULL
)
WITH (fillfactor='70');

CREATE TABLE public.reads (
    conversation_id bigint NOT NULL,
    user_id bigint NOT NULL,
    ordinal bigint NOT NULL,
    read_at timestamp(3) with time zone NOT NULL
);

CREATE TABLE public.relay_progress (
    conversation_id bigint NOT NULL,
    relayed_seq bigint NOT NULL,
    lease_until timestamp with time zone,
    failures smallint DEFAULT 0 NOT NULL,
    retry_at timestamp with time zone
)
WITH (fillfactor='50');

CREATE TABLE public.retention_progress (
    id boolean DEFAULT true NOT NULL,
    next_conversation bigint DEFAULT 0 NOT NULL,
    next_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    CONSTRAINT retention_progress_one_row CHECK (id)
);

CREATE TABLE public.revisions (
    message_id bigint NOT NULL,
    revision integer NOT NULL,
    conversation_id bigint NOT NULL,
    content text NOT NULL,
    at timestamp(3) with time zone NOT NULL,
    replaced_by bigint
);

CREATE TABLE public.revocations (
    subject text NOT NULL,
    generation bigint NOT NULL,
    tokens_before timestamp with time zone,
    changed_at timestamp with time zone NOT NULL
);

CREATE TABLE public.seen_users (
    user_id bigint NOT NULL
);

CREATE TABLE public.sent_counts (
    conversation_id bigint NOT NULL,
    sender_id bigint NOT NULL,
    block bigint NOT NULL,
    count bigint NOT NULL
);

CREATE TABLE public.tombstone_counts (
    conversation_id bigint NOT NULL,
    sender_id bigint NOT NULL,
    bits smallint NOT NULL,
    block bigint NOT NULL,
    count bigint NOT NULL
)
WITH (fillfactor='70');

CREATE VIEW public.unread AS
 SELECT p.conversation_id,
    p.user_id,
    (((c.message_count - p.last_read_ordinal) - p.sent_after_read) - p.deleted_after_read) AS count
   FROM (public.participants p
     JOIN public.conversations c ON ((c.id = p.conversation_id)));

CREATE TABLE public.webhook_deliveries (
    id bigint NOT NULL,
    webhook_id bigint NOT NULL,
    conversation_id bigint NOT NULL,
    seq bigint NOT NULL,
    type public.event_type NOT NULL,
    message_id bigint,
    user_id bigint,
    created_at timestamp(3) with time zone NOT NULL,
    queued_at timestamp with time zone DEFAULT now() NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone,
    status integer,
    error text,
    updated_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT webhook_deliveries_state CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text, 'dead'::text, 'disabled'::text])))
);

ALTER TABLE public.webhook_deliveries ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.webhook_deliveries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.webhooks (
    id bigint NOT NULL,
    url text NOT NULL,
    events text[] NOT NULL,
    contents boolean NOT NULL,
    secret bytea NOT NULL,
    previous_secret bytea,
    previous_until timestamp with time zone,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    disabled_at timestamp(3) with time zone,
    due_at timestamp with time zone,
    lease_until timestamp with time zone,
    failures integer DEFAULT 0 NOT NULL,
    retry_at timestamp with time zone,
    delivered bigint DEFAULT 0 NOT NULL
);

ALTER TABLE public.webhooks ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.webhooks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.cache_distrust
    ADD CONSTRAINT cache_distrust_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.ended_sessions
    ADD CONSTRAINT ended_sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (conversation_id, seq);

ALTER TABLE ONLY public.former_participants
    ADD CONSTRAINT former_participants_pkey PRIMARY KEY (conversation_id, user_id);

ALTER TABLE ONLY public.holds
    ADD CONSTRAINT holds_key UNIQUE (conversation_id, key);

ALTER TABLE ONLY public.holds
    ADD CONSTRAINT holds_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (caller, route, key);

ALTER TABLE ONLY public.listings
    ADD CONSTRAINT listings_pkey PRIMARY KEY (conversation_id, user_id);

ALTER TABLE ONLY public.live_figures
    ADD CONSTRAINT live_figures_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_ordinal UNIQUE (conversation_id, ordinal);

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.participants
    ADD CONSTRAINT participants_pkey PRIMARY KEY (conversation_id, user_id);

ALTER TABLE ONLY public.reads
    ADD CONSTRAINT reads_pkey PRIMARY KEY (conversation_id, user_id, ordinal);

ALTER TABLE ONLY public.relay_progress
    ADD CONSTRAINT relay_progress_pkey PRIMARY KEY (conversation_id);

ALTER TABLE ONLY public.retention_progress
    ADD CONSTRAINT retention_progress_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.revisions
    ADD CONSTRAINT revisions_pkey PRIMARY KEY (message_id, revision);

ALTER TABLE ONLY public.revocations
    ADD CONSTRAINT revocations_pkey PRIMARY KEY (subject);

ALTER TABLE ONLY public.seen_users
    ADD CONSTRAINT seen_users_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.sent_counts
    ADD CONSTRAINT sent_counts_pkey PRIMARY KEY (conversation_id, sender_id, block);

ALTER TABLE ONLY public.tombstone_counts
    ADD CONSTRAINT tombstone_counts_pkey PRIMARY KEY (conversation_id, sender_id, bits, block);

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (webhook_id, conversation_id, seq);

ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT webhooks_pkey PRIMARY KEY (id);

CREATE INDEX audit_by_commit ON public.audit USING btree (xact, id);

CREATE INDEX conversations_retention ON public.conversations USING btree (id) WHERE (retention_days > 0);

CREATE INDEX conversations_unlisted ON public.conversations USING btree (id) WHERE unlisted;

CREATE INDEX conversations_unrelayed ON public.conversations USING btree (id) WHERE unrelayed;

CREATE INDEX ended_sessions_ended_at_idx ON public.ended_sessions USING btree (ended_at);

CREATE INDEX ended_sessions_expires_at_idx ON public.ended_sessions USING btree (expires_at);

CREATE INDEX events_by_commit ON public.events USING btree (xact, conversation_id, seq);

CREATE INDEX idempotency_keys_age ON public.idempotency_keys USING btree (created_at);

CREATE INDEX listings_by_activity ON public.listings USING btree (user_id, active_at DESC, conversation_id DESC);

CREATE INDEX listings_unread ON public.listings USING btree (user_id) WHERE unread;

CREATE INDEX messages_by_time ON public.messages USING btree (created_at) INCLUDE (sender_id, conversation_id);

CREATE UNIQUE INDEX messages_client_message_id ON public.messages USING btree (conversation_id, sender_id, client_message_id) WHERE (client_message_id IS NOT NULL);

CREATE INDEX messages_tombstones ON public.messages USING btree (conversation_id, ordinal) WHERE (deleted_at IS NOT NULL);

CREATE INDEX messages_words ON public.messages USING gin (words) WITH (gin_pending_list_limit='1024') WHERE (words IS NOT NULL);

CREATE INDEX participants_by_user ON public.participants USING btree (user_id);

CREATE INDEX reads_by_time ON public.reads USING btree (read_at) INCLUDE (user_id);

CREATE INDEX revisions_of_conversation ON public.revisions USING btree (conversation_id);

CREATE INDEX revocations_changed_at_idx ON public.revocations USING btree (changed_at);

CREATE INDEX webhook_deliveries_age ON public.webhook_deliveries USING btree (updated_at) WHERE (state = 'delivered'::text);

CREATE INDEX webhook_deliveries_by_state ON public.webhook_deliveries USING btree (webhook_id, state, id);

CREATE INDEX webhook_deliveries_due ON public.webhook_deliveries USING btree (webhook_id, next_at) WHERE (next_at IS NOT NULL);

CREATE INDEX webhook_deliveries_waiting ON public.webhook_deliveries USING btree (webhook_id, conversation_id, seq) WHERE (state = ANY (ARRAY['pending'::text, 'failed'::text]));

CREATE TRIGGER audit_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change_of_audit();

CREATE TRIGGER conversations_listing BEFORE UPDATE OF relayed_seq ON public.conversations FOR EACH ROW WHEN (((new.relayed_seq >= new.event_seq) AND ((new.listed_count <> new.message_count) OR (new.listed_at <> new.last_activity_at)))) EXECUTE FUNCTION public.list_conversation();

CREATE TRIGGER conversations_start_listing BEFORE INSERT ON public.conversations FOR EACH ROW EXECUTE FUNCTION public.start_listing();

CREATE TRIGGER messages_deletion AFTER UPDATE OF deleted_at ON public.messages FOR EACH ROW WHEN (((old.deleted_at IS NULL) AND (new.deleted_at IS NOT NULL))) EXECUTE FUNCTION public.count_deletion();

CREATE TRIGGER messages_revised AFTER UPDATE OF content ON public.messages FOR EACH ROW WHEN (((old.content IS NOT NULL) AND ((old.edited_at IS DISTINCT FROM new.edited_at) OR (old.deleted_at IS DISTINCT FROM new.deleted_at)))) EXECUTE FUNCTION public.keep_revision();

CREATE TRIGGER messages_written BEFORE INSERT ON public.messages FOR EACH ROW EXECUTE FUNCTION public.message_written();

CREATE TRIGGER participants_cursor BEFORE INSERT OR UPDATE OF last_read_ordinal ON public.participants FOR EACH ROW EXECUTE FUNCTION public.count_deleted_after_read();

CREATE TRIGGER participants_cursor_moved AFTER UPDATE OF last_read_ordinal ON public.participants FOR EACH ROW WHEN ((old.last_read_ordinal <> new.last_read_ordinal)) EXECUTE FUNCTION public.list_unread();

CREATE TRIGGER participants_departed AFTER DELETE ON public.participants REFERENCING OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION public.unlist_participants();

CREATE TRIGGER participants_joined AFTER INSERT ON public.participants REFERENCING NEW TABLE AS joined FOR EACH STATEMENT EXECUTE FUNCTION public.list_participants();

ALTER TABLE ONLY public.holds
    ADD CONSTRAINT holds_conversation FOREIGN KEY (conversation_id) REFERENCES public.conversations(id);

ALTER TABLE ONLY public.participants
    ADD CONSTRAINT participants_conversation FOREIGN KEY (conversation_id) REFERENCES public.conversations(id);

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_webhook FOREIGN KEY (webhook_id) REFERENCES public.webhooks(id) ON DELETE CASCADE;
