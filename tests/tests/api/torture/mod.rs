//! A model of concurrency: many actors change conversations at random through three hosts over the
//! same stores, readers hold event streams open, and hosts, stores and connections fail in between.
//! Afterwards every view has to agree: tables, events, lists, counts, feeds, presence.
//!
//! `cargo xtask torture --minutes N [--seed S]` runs it for longer than the tests of CI do. The seed
//! repeats what actors and faults choose; how their requests meet is up to the machine.
//!
//! # Layout
//!
//! - [`plan`]: how long, with which seed and how many actors.
//! - [`world`]: hosts, proxies, users and conversations.
//! - [`actor`]: the operations; [`client`] sends one, [`history`] records what it was told.
//! - [`reader`]: clients of event streams.
//! - [`faults`]: what fails, and how it is mended.
//! - [`audit`]: triggers that record every real change of a row, independent of the events.
//! - [`model`]: the fold of a conversation's events; [`truth`] is what the database holds at the end.
//! - [`check`]: the comparisons, one file per kind.
//! - [`report`]: progress, summary and violations.

mod actor;
mod audit;
mod check;
mod client;
mod faults;
mod history;
mod model;
mod plan;
mod reader;
mod report;
mod truth;
mod world;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::future::join_all;

use plan::Plan;
use reader::Readers;
use world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_changes_under_faults_leave_every_view_in_agreement() {
    let plan = Plan::from_environment();
    eprintln!("torture: {plan}");
    let world = Arc::new(World::start(&plan).await);
    let readers = Readers::default();
    world.create_rooms(&plan).await;
    readers.follow_all(&world, &plan).await;

    let progress = tokio::spawn(report::progress(Arc::clone(&world)));
    let mut tasks = faults::start(&world, &plan);
    tasks.extend(
        (0..plan.actors).map(|n| tokio::spawn(actor::run(Arc::clone(&world), plan.rng(n)))),
    );
    tokio::time::sleep(plan.duration).await;
    world.ends.store(true, Ordering::SeqCst);
    for ended in join_all(tasks).await {
        ended.expect("an actor or a fault");
    }

    let violations = check::all(&world, &readers, &plan).await;
    progress.abort();
    report::summary(&world, &readers, &violations);
    assert!(
        violations.is_empty(),
        "{}",
        report::failure(&plan, &violations)
    );
}
