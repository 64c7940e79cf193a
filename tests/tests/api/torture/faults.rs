//! What fails while the actors act. One task breaks hosts and connections, another one stores, so
//! that faults overlap; each mends what it broke before it goes on.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use testkit::App;
use tokio::task::JoinHandle;

use super::plan::Plan;
use super::world::World;

/// The faults of hosts and connections, by name.
const OF_HOSTS: [&str; 6] = [
    "host killed",
    "host frozen",
    "results of PostgreSQL lost",
    "replies of Redis lost",
    "connections to PostgreSQL terminated",
    "row held",
];

/// The faults of stores.
const OF_STORES: [&str; 8] = [
    "Redis killed",
    "Redis restored from an older snapshot",
    "Redis emptied",
    "Redis frozen",
    "Redis refuses writes",
    "connections to Redis closed",
    "PostgreSQL frozen",
    "PostgreSQL killed",
];

/// Only where a run names it: the service does not hold against it yet. Redis forgets the versions of
/// cached messages and is the same server as before, so a write that was held up may bring an old text
/// back.
const NOT_MENDED: &str = "Redis emptied";

/// Breaks things until the run ends.
pub fn start(world: &Arc<World>, plan: &Plan) -> Vec<JoinHandle<()>> {
    let chosen = |faults: &[&'static str]| -> Vec<&'static str> {
        let is_chosen = |name: &&str| match &plan.faults {
            Some(chosen) => chosen.iter().any(|chosen| name.contains(&**chosen)),
            None => *name != NOT_MENDED,
        };
        faults
            .iter()
            .copied()
            .filter(|name| is_chosen(name))
            .collect()
    };
    let kinds = [chosen(&OF_HOSTS), chosen(&OF_STORES)];
    let tasks = kinds
        .into_iter()
        .enumerate()
        .filter(|(_, faults)| !faults.is_empty());
    tasks
        .map(|(n, faults)| {
            tokio::spawn(break_things(Arc::clone(world), plan.rng(2_000 + n), faults))
        })
        .collect()
}

async fn break_things(world: Arc<World>, mut rng: Rng, faults: Vec<&'static str>) {
    let mut next = Vec::new();
    while world.goes_on() {
        // Each once before any comes again.
        if next.is_empty() {
            next.clone_from(&faults);
            rng.shuffle(&mut next);
        }
        pause(&mut rng, 300..2_000).await;
        if let Some(fault) = next.pop() {
            world.history.failed(fault);
            inject(&world, &mut rng, fault).await;
        }
    }
}

async fn inject(world: &World, rng: &mut Rng, fault: &'static str) {
    let first = &world.hosts[0];
    match fault {
        "host killed" => kill_host(world, rng).await,
        "host frozen" => freeze_host(world, rng).await,
        "results of PostgreSQL lost" => world.postgres.lose(rng.usize(1..4)),
        "replies of Redis lost" => world.redis.lose(rng.usize(1..6)),
        "connections to PostgreSQL terminated" => terminate_connections(first).await,
        "row held" => hold_row(world, rng).await,
        "Redis killed" => {
            first.kill_redis().await;
            pause(rng, 0..1_500).await;
            first.start_redis().await;
        }
        "Redis restored from an older snapshot" => {
            let snapshot = first.snapshot_redis().await;
            pause(rng, 300..4_000).await;
            first.kill_redis().await;
            first.restore_redis(&snapshot);
            first.start_redis().await;
        }
        "Redis emptied" => redis(first, &["FLUSHALL"]).await,
        "Redis frozen" => {
            first.pause_redis().await;
            pause(rng, 200..5_000).await;
            first.resume_redis().await;
        }
        "Redis refuses writes" => {
            redis(first, &["CONFIG", "SET", "min-replicas-to-write", "1"]).await;
            pause(rng, 500..6_000).await;
            redis(first, &["CONFIG", "SET", "min-replicas-to-write", "0"]).await;
        }
        "connections to Redis closed" => {
            for kind in ["NORMAL", "PUBSUB"] {
                redis(first, &["CLIENT", "KILL", "TYPE", kind]).await;
            }
        }
        "PostgreSQL frozen" => {
            first.pause_postgres().await;
            pause(rng, 200..3_000).await;
            first.resume_postgres().await;
        }
        _ => {
            first.kill_postgres().await;
            pause(rng, 0..1_000).await;
            first.start_postgres().await;
        }
    }
}

async fn pause(rng: &mut Rng, millis: std::ops::Range<u64>) {
    tokio::time::sleep(Duration::from_millis(rng.u64(millis))).await;
}

/// A host starts although a store is away at the moment.
async fn kill_host(world: &World, rng: &mut Rng) {
    let host = world.host(rng).devhost();
    host.kill().await.expect("the host ends");
    pause(rng, 0..2_000).await;
    host.start().await.expect("the host starts");
}

/// Sometimes for longer than a lease of the relay.
async fn freeze_host(world: &World, rng: &mut Rng) {
    let host = world.host(rng).devhost();
    host.pause();
    let longest = if rng.u8(..3) == 0 { 13_000 } else { 3_000 };
    pause(rng, 500..longest).await;
    host.resume();
}

async fn terminate_connections(app: &App) {
    const TERMINATE: &str = "
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()";
    // PostgreSQL may be away by another fault.
    if let Ok(postgres) = dev_services::connect(app.data().database_url()).await {
        let _ = postgres.batch_execute(TERMINATE).await;
    }
}

/// Holds a conversation, so that changes of it queue.
async fn hold_row(world: &World, rng: &mut Rng) {
    let id = world.room(rng).id;
    let hold = format!("begin; select from conversations where id = {id} for update");
    if let Ok(postgres) = dev_services::connect(world.hosts[0].data().database_url()).await
        && postgres.batch_execute(&hold).await.is_ok()
    {
        pause(rng, 300..3_000).await;
        let _ = postgres.batch_execute("rollback").await;
    }
}

async fn redis(app: &App, words: &[&str]) {
    let mut redis = app.redis().await;
    // CLIENT KILL closes this connection too.
    let _ = redis::cmd(words[0])
        .arg(&words[1..])
        .exec_async(&mut redis)
        .await;
}
