-- Revocations of sessions and tokens. Sessions themselves are in Redis; what ended them is here, so that
-- a Redis that lost everything, or came back older, forgets none of it.

-- One row for each subject whose sessions or tokens were ever revoked: `user:{id}`, or a back end by the
-- SHA-256 of its name.
create table revocations (
    subject text not null,
    -- Sessions that began under an earlier generation have ended.
    generation bigint not null,
    -- Tokens that were issued before this time are refused, and those that do not say when.
    tokens_before timestamptz,
    changed_at timestamptz not null,
    constraint revocations_pkey primary key (subject)
);

create index revocations_changed_at_idx on revocations (changed_at);

-- Sessions that were ended one by one, until they would have expired.
create table ended_sessions (
    id bigint not null,
    subject text not null,
    ended_at timestamptz not null,
    expires_at timestamptz not null,
    constraint ended_sessions_pkey primary key (id)
);

create index ended_sessions_ended_at_idx on ended_sessions (ended_at);
create index ended_sessions_expires_at_idx on ended_sessions (expires_at);

-- A time in Unix milliseconds; 0 for none.
create function unix_ms(at timestamptz) returns bigint
    language sql stable parallel safe
as $$ select coalesce(floor(extract(epoch from at) * 1000), 0)::bigint $$;

-- Ends all sessions of a subject and, unless `issued_before` is null, refuses the tokens that were issued
-- before. A limit for tokens never goes back.
create function revoke_all(a_subject text, issued_before timestamptz)
    returns table (generation bigint, tokens_before_ms bigint)
    language plpgsql
as $$
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

-- Ends one session. Some of those that would have expired by now are forgotten, so that the table does
-- not grow with all that ever ended.
create function end_session(an_id bigint, a_subject text, expiry timestamptz) returns void
    language plpgsql
as $$
begin
    insert into ended_sessions (id, subject, ended_at, expires_at)
    values (an_id, a_subject, clock_timestamp(), expiry)
    on conflict (id) do nothing;
    delete from ended_sessions e where e.id in (
        select o.id from ended_sessions o where o.expires_at < clock_timestamp() - interval '1 day'
        order by o.expires_at limit 20 for update skip locked);
end $$;
