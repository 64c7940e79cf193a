//! An audit by triggers: what really changed in the tables, in the order of the conversation's lock.
//! The service knows nothing of it, so it is a second witness next to the events.

use tokio_postgres::Client;

/// `participant` is one of a conversation's first participants, who have no event of their own.
const TRIGGERS: &str = "
    create table torture_audit (
        id bigint generated always as identity primary key,
        conversation_id bigint not null,
        kind text not null,
        message_id bigint,
        user_id bigint,
        content text,
        at timestamptz not null default clock_timestamp());

    create function audit_message() returns trigger language plpgsql as $$
    declare
        changed text;
    begin
        changed := case
            when tg_op = 'INSERT' then 'new-message'
            when old.deleted_at is null and new.deleted_at is not null then 'message-deleted'
            when old.content is distinct from new.content then 'message-edited' end;
        if changed is not null then
            insert into torture_audit (conversation_id, kind, message_id, content)
            values (new.conversation_id, changed, new.id, new.content);
        end if;
        return null;
    end $$;

    create function audit_participant() returns trigger language plpgsql as $$
    begin
        if tg_op = 'DELETE' then
            insert into torture_audit (conversation_id, kind, user_id)
            values (old.conversation_id, 'participant-left', old.user_id);
        elsif tg_op = 'INSERT' then
            insert into torture_audit (conversation_id, kind, user_id)
            values (new.conversation_id, case when exists (
                select from events e where e.conversation_id = new.conversation_id)
                then 'participant-joined' else 'participant' end, new.user_id);
        elsif new.last_read_ordinal is distinct from old.last_read_ordinal then
            insert into torture_audit (conversation_id, kind, user_id, message_id)
            values (new.conversation_id, 'message-read', new.user_id, (
                select m.id from messages m
                where m.conversation_id = new.conversation_id and m.ordinal = new.last_read_ordinal));
        end if;
        return null;
    end $$;

    create function audit_conversation() returns trigger language plpgsql as $$
    begin
        insert into torture_audit (conversation_id, kind, content)
        values (new.id, 'conversation-created', new.title);
        return null;
    end $$;

    create trigger audit_messages after insert or update on messages
        for each row execute function audit_message();
    create trigger audit_participants after insert or update or delete on participants
        for each row execute function audit_participant();
    create trigger audit_conversations after insert on conversations
        for each row execute function audit_conversation();";

/// Creates the audit in a database that is still empty.
pub async fn install(postgres: &Client) {
    postgres.batch_execute(TRIGGERS).await.expect("an audit");
}
