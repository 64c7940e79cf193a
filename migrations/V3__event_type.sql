-- The types of events as an enumeration. PostgreSQL reads a check constraint
-- anew for every statement that inserts, and this one was a tenth of a post.

create type event_type as enum (
    'new-message', 'message-edited', 'message-deleted', 'message-read',
    'participant-joined', 'participant-left'
);

alter table events
    drop constraint events_type,
    alter column type type event_type using type::event_type;
