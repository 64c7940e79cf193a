-- Records: policies of conversations, revisions, holds, retention, the audit trail, and events in the order
-- of their commits.

alter type event_type add value if not exists 'conversation-changed';

-- Policies.

alter table conversations
    -- Messages that are older are erased; 0 is for ever, null is what the operator says.
    add column retention_days integer,
    -- Whether edits and deletions keep the text before them.
    add column keeps_revisions boolean not null default true,
    -- Whether the assistant may read the messages.
    add column assistant boolean not null default false,
    -- How many holds stand: nothing is erased while there is one.
    add column holds integer not null default 0,
    -- All messages up to this one are erased by retention.
    add column retained_ordinal bigint not null default 0;

create index conversations_retention on conversations (id) where retention_days > 0;

create or replace function conversation_json(c conversations) returns text
    language plpgsql stable parallel safe
as $$
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

-- The audit trail.

create table audit (
    id bigint generated always as identity,
    at timestamptz(3) not null default clock_timestamp(),
    -- Entries are read in the order of their commits.
    xact xid8 not null default pg_current_xact_id(),
    actor text not null,
    action text not null,
    subject text not null,
    request_id text not null,
    detail jsonb not null,
    constraint audit_pkey primary key (id)
);

create index audit_by_commit on audit (xact, id);

create function write_audit(an_actor text, a_request text, an_action text, a_subject text, a_detail jsonb)
    returns void
    language plpgsql
as $$
begin
    insert into audit (actor, action, subject, request_id, detail)
    values (an_actor, an_action, a_subject, a_request, coalesce(a_detail, '{}'));
end $$;

-- The rights of the application's role forbid it too; this also holds for the owner, by mistake.
create function refuse_change_of_audit() returns trigger
    language plpgsql
as $$
begin
    raise exception 'the audit trail is append-only';
end $$;

create trigger audit_append_only before update or delete or truncate on audit
    for each statement execute function refuse_change_of_audit();

-- Membership, with who did it. The functions behind it stay as they are for hosts of the version before.

create function join_conversation(a_conversation bigint, a_user bigint, a_caller bigint,
    max_participants bigint, max_conversations bigint, an_actor text, a_request text,
    out outcome text, out seq bigint, out conversation text)
    language plpgsql
as $$
begin
    select j.* into outcome, seq, conversation
    from join_conversation(a_conversation, a_user, a_caller, max_participants, max_conversations) j;
    if outcome = 'done' then
        perform write_audit(an_actor, a_request, 'participant-added', 'conversation:' || a_conversation,
            jsonb_build_object('userId', a_user));
    end if;
end $$;

create function leave_conversation(a_conversation bigint, a_user bigint, a_caller bigint, a_key text,
    an_actor text, a_request text, out outcome text, out seq bigint)
    language plpgsql
as $$
begin
    select l.* into outcome, seq from leave_conversation(a_conversation, a_user, a_caller, a_key) l;
    if outcome = 'done' then
        perform write_audit(an_actor, a_request, 'participant-removed', 'conversation:' || a_conversation,
            jsonb_build_object('userId', a_user));
    end if;
end $$;

-- Revisions.

-- Texts that a later one, or a deletion, replaced.
create table revisions (
    message_id bigint not null,
    revision integer not null,
    conversation_id bigint not null,
    content text not null,
    -- When it was written.
    at timestamptz(3) not null,
    -- Who wrote what came after it; null for a service.
    replaced_by bigint,
    constraint revisions_pkey primary key (message_id, revision)
);

create index revisions_of_conversation on revisions (conversation_id);

-- Runs under the lock of the conversation's row, like the change itself.
create function keep_revision() returns trigger
    language plpgsql
as $$
begin
    insert into revisions (message_id, revision, conversation_id, content, at, replaced_by)
    select old.id, 1 + coalesce((select max(r.revision) from revisions r where r.message_id = old.id), 0),
        old.conversation_id, old.content, coalesce(old.edited_at, old.created_at),
        nullif(current_setting('messaging.caller', true), '')::bigint
    from conversations c
    where c.id = old.conversation_id and (c.keeps_revisions or c.holds > 0);
    return null;
end $$;

-- Not for a text that is only stored in another form.
create trigger messages_revised after update of content on messages for each row
    when (old.content is not null
        and (old.edited_at is distinct from new.edited_at or old.deleted_at is distinct from new.deleted_at))
    execute function keep_revision();

-- Locks a message's conversation for a change by this caller, whom its revisions name.
create or replace function lock_for_change(a_message bigint, a_caller bigint) returns bigint
    language plpgsql
as $$
declare
    conversation bigint;
begin
    perform set_config('messaging.caller', coalesce(a_caller::text, ''), true);
    select m.conversation_id into conversation from messages m
    where m.id = a_message and (a_caller is null or takes_part(m.conversation_id, a_caller));
    perform from conversations c where c.id = conversation for no key update;
    return conversation;
end $$;

-- Those of a message, the present text first; without `sees_all` nothing of a deleted one.
create function revisions_json(a_message bigint, sees_all boolean) returns text
    language sql stable
as $$
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

-- Changes of a conversation.

create function change_conversation(a_conversation bigint, a_caller bigint,
    sets_title boolean, a_title text, sets_retention boolean, days integer, keeps boolean, allows boolean,
    an_actor text, a_request text,
    out outcome text, out seq bigint, out conversation text)
    language plpgsql
as $$
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

-- Erases what is kept of replaced texts, and what would prove a guess of one.
create function erase_revisions(a_conversation bigint) returns bigint
    language plpgsql
as $$
declare
    erased bigint;
begin
    delete from revisions r where r.conversation_id = a_conversation;
    get diagnostics erased = row_count;
    return erased;
end $$;

-- Holds.

create table holds (
    id bigint generated always as identity,
    conversation_id bigint not null,
    reason text not null,
    placed_by text not null,
    placed_at timestamptz(3) not null default clock_timestamp(),
    released_by text,
    released_at timestamptz(3),
    -- Names the statement that placed it, so that its repetition finds it.
    key text not null,
    constraint holds_pkey primary key (id),
    constraint holds_key unique (conversation_id, key),
    constraint holds_conversation foreign key (conversation_id) references conversations (id)
);

create function hold_json(h holds) returns text
    language sql stable
as $$
    select json_build_object('id', h.id, 'reason', h.reason, 'placedBy', h.placed_by,
        'placedAt', rfc3339(h.placed_at))::text
$$;

create function place_hold(a_conversation bigint, a_reason text, a_key text, an_actor text, a_request text)
    returns text
    language plpgsql
as $$
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

-- Whether there is such a hold. After the last one the conversation's policy applies again.
create function release_hold(a_conversation bigint, a_hold bigint, an_actor text, a_request text)
    returns boolean
    language plpgsql
as $$
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

-- Retention.

-- How far the passes over all conversations are, and when the next step is due.
create table retention_progress (
    id boolean not null default true,
    next_conversation bigint not null default 0,
    next_at timestamptz not null default '-infinity',
    constraint retention_progress_pkey primary key (id),
    constraint retention_progress_one_row check (id)
);

insert into retention_progress default values;

-- The time before which a conversation's messages are erased; null for never.
create function retention_limit(c conversations, default_days integer) returns timestamptz
    language sql stable
as $$
    select case when c.holds = 0 and coalesce(c.retention_days, default_days) > 0
        then now() - make_interval(days => coalesce(c.retention_days, default_days)) end
$$;

-- Erases up to so many messages of a conversation that are older than its policy allows.
create function retain_conversation(a_conversation bigint, default_days integer, at_most integer)
    returns table (message_id bigint, seq bigint)
    language plpgsql
as $$
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

-- A step of the pass over all conversations: at most so many conversations and messages.
create function retain(default_days integer, at_most integer, an_actor text, a_request text)
    returns table (conversation_id bigint, message_id bigint, seq bigint)
    language plpgsql
as $$
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

-- How many messages are older than their policies allow; at most so many are counted.
create function count_due(default_days integer, at_most integer) returns bigint
    language sql stable
as $$
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

-- Events in the order of their commits: those of transactions that are all over.

alter table events add column xact xid8 not null default '0';
alter table events alter column xact set default pg_current_xact_id();

create index events_by_commit on events (xact, conversation_id, seq);

-- The application's role: everything but the audit trail's past. Managed databases may not let a migration
-- create one; an operator does then.
do $$
begin
    create role lexiflow_app nologin;
exception
    when duplicate_object or unique_violation then null;
    when insufficient_privilege then
        raise notice 'the role lexiflow_app is not created: docs/records.md says how an operator does it';
end $$;

do $$
begin
    if exists (select from pg_roles where rolname = 'lexiflow_app') then
        grant usage on schema public to lexiflow_app;
        grant select, insert, update, delete on all tables in schema public to lexiflow_app;
        grant usage, select on all sequences in schema public to lexiflow_app;
        alter default privileges in schema public
            grant select, insert, update, delete on tables to lexiflow_app;
        alter default privileges in schema public grant usage, select on sequences to lexiflow_app;
        revoke update, delete on audit from lexiflow_app;
    end if;
end $$;
