//! The comparisons, once all has come to rest.

mod feeds;
mod lists;
mod log;
mod presence;
mod promises;
mod redis_keys;
mod rest;
mod tables;
mod tests;
mod timeline;
mod views;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

use super::model::Fold;
use super::plan::Plan;
use super::reader::Readers;
use super::report::Violation;
use super::truth::{self, Truth};
use super::world::World;
use timeline::Timeline;

/// What is not as it should be.
#[derive(Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    pub fn add(
        &mut self,
        check: &'static str,
        conversation: impl Into<Option<i64>>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) {
        self.0.push(Violation {
            check,
            conversation: conversation.into(),
            expected: expected.into(),
            found: found.into(),
        });
    }

    /// The checks that found something.
    fn checks(&self) -> BTreeSet<&'static str> {
        self.0.iter().map(|violation| violation.check).collect()
    }

    /// Adds a violation unless both sides are equal.
    pub fn compare<T: PartialEq + Debug>(
        &mut self,
        check: &'static str,
        conversation: i64,
        what: &str,
        expected: &T,
        found: &T,
    ) {
        if expected != found {
            let show = |side: &T| format!("{what} {side:?}");
            self.add(check, conversation, show(expected), show(found));
        }
    }
}

/// Waits until all has come to rest, and makes every comparison.
pub async fn all(world: &Arc<World>, readers: &Readers, plan: &Plan) -> Vec<Violation> {
    let mut violations = Violations::default();
    for (kind, detail) in world.history.all_broken() {
        violations.add(
            "response",
            None,
            format!("a response that {kind:?} may have"),
            detail,
        );
    }
    rest::heal(world).await;
    let truth = rest::reach(world, readers, &mut violations).await;
    let attempts = world.history.attempts();
    let timeline = Timeline::of(&attempts, &truth);
    let folds = truth.iter().map(|(id, of_one)| (*id, Fold::of(of_one)));
    let folds: BTreeMap<i64, Fold> = folds.collect();
    for (id, conversation) in &truth {
        log::check(conversation, &mut violations);
        tables::check(conversation, &folds[id], &mut violations);
    }
    for found in ::tests::derived::violations(&world.hosts[0].postgres().await).await {
        violations.add("sums and listings", None, "what the rows say", found);
    }
    promises::check(&attempts, &truth, &mut violations);
    views::check(&world.history, &timeline, &truth, &mut violations);
    feeds::check(readers, &truth, &folds, &timeline, &mut violations);
    lists::check(world, &truth, &mut violations).await;
    redis_keys::check(world, &truth, &mut violations).await;
    presence::check(world, readers, &truth, plan, &mut violations).await;
    violations.0
}

async fn read_truth(world: &World) -> Truth {
    truth::read(&world.hosts[0].postgres().await).await
}
