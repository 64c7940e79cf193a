//! What triggers keep beside the rows that it is derived from, compared with those rows.

use tokio_postgres::Client;

/// One line for each row that is not as it should be.
const VIOLATIONS: &str = "
    with truth as (
        select p.*, c.message_count, c.last_activity_at, c.unlisted,
            (select count(*) from messages m
                where m.conversation_id = p.conversation_id and m.ordinal > p.last_read_ordinal
                  and m.sender_id = p.user_id) as sent,
            (select count(*) from messages m
                where m.conversation_id = p.conversation_id and m.ordinal > p.last_read_ordinal
                  and m.sender_id is distinct from p.user_id and m.deleted_at is not null) as deleted
        from participants p join conversations c on c.id = p.conversation_id
    ), sent as (
        select b.conversation_id, b.sender_id, b.block,
            sum(b.count) over (partition by b.conversation_id, b.sender_id order by b.block) as count
        from (
            select m.conversation_id, m.sender_id, m.ordinal >> 8 as block, count(*) as count
            from messages m join conversations c on c.id = m.conversation_id
            where m.sender_id is not null and m.ordinal >> 8 < c.message_count >> 8
            group by m.conversation_id, m.sender_id, m.ordinal >> 8
        ) b
    ), tombstones as (
        select m.conversation_id, s.sender_id, b.bits, m.ordinal >> b.bits as block, count(*) as count
        from messages m cross join lateral (values (0), (m.sender_id)) s (sender_id)
        cross join (values (8), (16)) b (bits)
        where m.deleted_at is not null and s.sender_id is not null
        group by m.conversation_id, s.sender_id, b.bits, m.ordinal >> b.bits
    )
    select format('participant %s of %s has sent %s, not %s', user_id, conversation_id, sent, sent_after_read)
    from truth where sent <> sent_after_read
    union all
    select format('participant %s of %s misses %s deleted, not %s', user_id, conversation_id, deleted, deleted_after_read)
    from truth where deleted <> deleted_after_read
    union all
    select format('%s by %s up to block %s of %s, not %s', t.count, sender_id, block, conversation_id, s.count)
    from sent t full join sent_counts s using (conversation_id, sender_id, block)
    where t.count is distinct from s.count
    union all
    select format('%s tombstones by %s in block %s of %s, not %s', t.count, sender_id, block, conversation_id, s.count)
    from tombstones t full join tombstone_counts s using (conversation_id, sender_id, bits, block)
    where t.count is distinct from s.count
    union all
    select format('%s of %s is listed without taking part, or not listed', user_id, conversation_id)
    from truth t full join listings l using (conversation_id, user_id)
    where t.joined_at is null or l.active_at is null
    union all
    select format('%s of %s is listed at %s, not %s', user_id, conversation_id, l.active_at, t.last_activity_at)
    from truth t join listings l using (conversation_id, user_id)
    where not t.unlisted and l.active_at <> t.last_activity_at
    union all
    select format('%s of %s is not listed as unread', user_id, conversation_id)
    from truth t join listings l using (conversation_id, user_id)
    where not t.unlisted and not l.unread
      and t.message_count > t.last_read_ordinal + t.sent + t.deleted";

/// The sums and listings of the database that do not agree with what they are derived from.
///
/// # Panics
///
/// When the database cannot be asked.
pub async fn violations(database: &Client) -> Vec<String> {
    let rows = database.query(VIOLATIONS, &[]).await.expect("a comparison");
    rows.iter().map(|row| row.get(0)).collect()
}

/// Fails unless every sum and listing of the database agrees with what it is derived from.
///
/// # Panics
///
/// When one does not.
pub async fn assert_exact(database: &Client) {
    let found = violations(database).await;
    assert!(found.is_empty(), "{found:#?}");
}
