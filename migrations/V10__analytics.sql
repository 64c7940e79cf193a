-- What messages and reads are counted by, and the end of a relay's claim as a function, which also says
-- what other work is due.

create index messages_by_time on messages (created_at) include (sender_id, conversation_id);
create index reads_by_time on reads (read_at) include (user_id);

-- When the live figures in Redis are counted again; one row.
create table live_figures (
    id boolean primary key default true constraint live_figures_one_row check (id),
    due_at timestamptz not null default '-infinity'
);

insert into live_figures default values;

-- Records how far each conversation came and ends the leases. A lease that expired in between may be
-- another relay's by now: then that one delivers the same events once more. Each failure doubles the
-- backoff, from a second to ten minutes; without a number of failures those before still count.
-- Returns what is due besides: `figures`.
create function finish_relay(ids bigint[], seqs bigint[], leases bigint[], failed bigint[])
returns table (work text, subject bigint)
language plpgsql
as $$
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
