-- Receivers outside of the service, and what has to be sent to them.

create table webhooks (
    id bigint generated always as identity primary key,
    url text not null,
    -- The types of events that it gets.
    events text[] not null,
    -- Whether it gets the texts of messages, too.
    contents boolean not null,
    secret bytea not null,
    previous_secret bytea,
    previous_until timestamptz,
    created_at timestamptz(3) not null default now(),
    -- A receiver that has gone gets nothing more.
    disabled_at timestamptz(3),
    -- When there is something to send; null if there is nothing.
    due_at timestamptz,
    -- Until when a worker has it; also the worker's token.
    lease_until timestamptz,
    -- How many times in a row nothing could be delivered, and until when nothing is tried.
    failures integer not null default 0,
    retry_at timestamptz,
    -- How many deliveries have succeeded.
    delivered bigint not null default 0
);

-- One event for one receiver.
create table webhook_deliveries (
    id bigint generated always as identity,
    webhook_id bigint not null constraint webhook_deliveries_webhook references webhooks on delete cascade,
    conversation_id bigint not null,
    seq bigint not null,
    type event_type not null,
    message_id bigint,
    user_id bigint,
    -- When it happened.
    created_at timestamptz(3) not null,
    -- When it was queued, or queued again: from then on it is tried for as long as the schedule says.
    queued_at timestamptz not null default now(),
    state text not null default 'pending' constraint webhook_deliveries_state
        check (state in ('pending', 'delivered', 'failed', 'dead', 'disabled')),
    attempts integer not null default 0,
    -- When it is sent; null unless it is the head: the oldest that waits in its conversation.
    next_at timestamptz,
    -- What came of the newest attempt: the status, or why there was none.
    status integer,
    error text,
    updated_at timestamptz(3) not null default now(),
    constraint webhook_deliveries_pkey primary key (webhook_id, conversation_id, seq)
);

create index webhook_deliveries_waiting on webhook_deliveries (webhook_id, conversation_id, seq)
    where state in ('pending', 'failed');
create index webhook_deliveries_due on webhook_deliveries (webhook_id, next_at) where next_at is not null;
create index webhook_deliveries_by_state on webhook_deliveries (webhook_id, state, id);
create index webhook_deliveries_age on webhook_deliveries (updated_at) where state = 'delivered';

-- Every function that queues or settles locks the receiver's row first: so what one of them decides, no
-- other has changed, and a worker that ends misses nothing that was queued before.

-- Makes the oldest delivery that waits in each of these conversations the head, and no other.
create function set_heads(a_webhook bigint, conversations bigint[]) returns void
language plpgsql
as $$
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

-- Queues the events of these conversations behind `befores`, up to `seqs`, for those who get them.
create function queue_deliveries(ids bigint[], befores bigint[], seqs bigint[]) returns void
language plpgsql
as $$
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

-- As finish_relay does, from which relay each claim began known; and queues what has to be sent of the
-- events that were delivered, in the transaction that says that they were. Returns also receivers that
-- no worker works for: `webhook`.
create function finish_relay_and_queue(
    ids bigint[], befores bigint[], seqs bigint[], leases bigint[], failed bigint[])
returns table (work text, subject bigint)
language plpgsql
as $$
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

-- The receivers that have something to get, and no worker.
create function due_webhooks() returns table (id bigint)
language plpgsql
as $$
begin
    return query select w.id from webhooks w
    where w.due_at <= clock_timestamp() and w.disabled_at is null
        and (w.lease_until is null or w.lease_until < clock_timestamp())
    order by w.due_at;
end $$;

-- Records what became of deliveries, each `delivered` or `failed`. One whose number of attempts is
-- another one by now was settled before. `schedule` has the seconds after each failed attempt; what
-- failed behind them, or for as long as all of them, is dead. Returns what is dead now.
create function settle_deliveries(a_webhook bigint, conversations bigint[], seqs bigint[], tried bigint[],
    outcomes text[], statuses bigint[], errors text[], schedule bigint[])
returns table (conversation_id bigint, seq bigint, error text)
language plpgsql
as $$
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

-- Ends a worker's lease, if it still has it. A receiver that is `failing` is left alone for a while;
-- one that is `gone` is disabled. Returns in how many milliseconds there is more to do; null if nothing,
-- and less than 0 if the lease was over.
create function finish_webhook(a_webhook bigint, a_lease bigint, outcome text, schedule bigint[])
returns bigint
language plpgsql
as $$
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

-- Sends again what happened at a time or later, and is in one of these states. A receiver that was
-- disabled is enabled. Null if there is no such receiver.
create function redeliver(a_webhook bigint, after_ms bigint, states text[]) returns bigint
language plpgsql
as $$
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
