//! Who may call what: the one table. [`gate`] is asked before an action runs;
//! what only the action can know, it checks itself. `docs/access.md` shows the
//! table, and a test keeps the two equal.

use std::fmt;

/// Who may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Anybody, without an identity.
    Anybody,
    /// Whoever has an identity; each sees what is theirs.
    Identified,
    /// The user whom the request names, or a service. Others get 403.
    Themselves,
    /// A participant of the conversation, or a service. To others it does not exist: 404.
    Participant,
    /// A participant who acts as themselves, or a service: 404, then 403.
    ParticipantThemselves,
    /// The message's sender, or a service. Other participants get 403, others 404.
    Sender,
    /// A service. Users get 403.
    Service,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anybody => "anybody",
            Self::Identified => "whoever is identified",
            Self::Themselves => "the user named, a service",
            Self::Participant => "a participant, a service",
            Self::ParticipantThemselves => "a participant as themselves, a service",
            Self::Sender => "its sender, a service",
            Self::Service => "a service",
        })
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The method.
    pub method: &'static str,
    /// The route as spin.toml has it.
    pub route: &'static str,
    /// Who may call it.
    pub who: Who,
    /// Whether a one-time ticket does instead of a token.
    pub ticket: bool,
}

const fn rule(method: &'static str, route: &'static str, who: Who) -> Rule {
    let ticket = false;
    Rule {
        method,
        route,
        who,
        ticket,
    }
}

const fn by_ticket(rule: Rule) -> Rule {
    Rule {
        ticket: true,
        ..rule
    }
}

/// Every route and method, and who may call it. What it does not list is
/// refused; behind `/...` there is only what anybody may have.
pub const TABLE: &[Rule] = {
    use Who::{
        Anybody, Identified, Participant, ParticipantThemselves, Sender, Service, Themselves,
    };
    &[
        rule("GET", "/api/v1/messages", Participant),
        rule("POST", "/api/v1/messages", ParticipantThemselves),
        rule("GET", "/api/v1/messages/:id", Participant),
        rule("PATCH", "/api/v1/messages/:id", Sender),
        rule("DELETE", "/api/v1/messages/:id", Sender),
        rule("GET", "/api/v1/conversations", Themselves),
        rule("POST", "/api/v1/conversations", Themselves),
        rule("GET", "/api/v1/conversations/:id", Participant),
        rule(
            "POST",
            "/api/v1/conversations/:id/participants",
            Participant,
        ),
        rule(
            "DELETE",
            "/api/v1/conversations/:id/participants/:userId",
            ParticipantThemselves,
        ),
        rule("POST", "/api/v1/messages/users/:userId/online", Themselves),
        rule("POST", "/api/v1/messages/users/:userId/offline", Themselves),
        rule("GET", "/api/v1/messages/users/online", Identified),
        rule(
            "GET",
            "/api/v1/messages/users/:userId/online-status",
            Identified,
        ),
        rule(
            "GET",
            "/api/v1/messages/conversations/:id/typing",
            Participant,
        ),
        rule(
            "POST",
            "/api/v1/messages/conversations/:id/typing",
            ParticipantThemselves,
        ),
        rule(
            "POST",
            "/api/v1/messages/messages/:id/read",
            ParticipantThemselves,
        ),
        rule("GET", "/api/v1/messages/messages/:id/receipts", Participant),
        rule(
            "GET",
            "/api/v1/messages/users/:userId/unread-count",
            Themselves,
        ),
        rule(
            "POST",
            "/api/v1/messages/conversations/:id/system-message",
            Service,
        ),
        by_ticket(rule(
            "GET",
            "/api/v1/messages/conversations/:id/events",
            Participant,
        )),
        by_ticket(rule(
            "GET",
            "/api/v1/messages/users/:userId/events",
            Themselves,
        )),
        rule("POST", "/api/v1/messages/stream-tickets", Identified),
        rule("GET", "/api/v1/health", Identified),
        rule("GET", "/api/v1/health/live", Anybody),
        rule("GET", "/api/v1/health/postgres", Identified),
        rule("GET", "/api/v1/health/redis", Identified),
        rule("GET", "/...", Anybody),
    ]
};

/// What a request must prove before its action runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Nothing.
    Anybody,
    /// Some identity; `ticket` tells whether a one-time ticket does.
    Identified {
        /// Whether a one-time ticket does.
        ticket: bool,
    },
    /// That it comes from a service.
    Service,
}

/// The gate before a route and method; `None` if the table does not know the
/// route. A method that it does not know is told so only to whoever may call
/// the route at all.
#[must_use]
pub fn gate(route: &str, method: &str) -> Option<Gate> {
    let mut known = None;
    for rule in TABLE.iter().filter(|rule| rule.route == route) {
        if rule.method == method {
            return Some(rule.gate());
        }
        known = Some(match rule.who {
            Who::Anybody => Gate::Anybody,
            _ => Gate::Identified { ticket: false },
        });
    }
    known
}

impl Rule {
    const fn gate(&self) -> Gate {
        match self.who {
            Who::Anybody => Gate::Anybody,
            Who::Service => Gate::Service,
            _ => Gate::Identified {
                ticket: self.ticket,
            },
        }
    }
}

#[cfg(test)]
mod tests;
