//! The channels by which connections hear that what they rest on was revoked.

use super::Notice;
use crate::auth::Proof;
use crate::ids::{SessionId, UserId};
use crate::sessions::Subject;

/// The channels of a connection that rests on a proof.
#[must_use]
pub fn channels_of(proof: &Proof) -> Vec<String> {
    match proof {
        Proof::Nothing => vec![],
        Proof::Token(token) => vec![tokens_of(token.user())],
        Proof::Session(session) => vec![of_session(session.id), sessions_of(&session.subject)],
    }
}

/// A session has ended.
#[must_use]
pub fn session_ended(id: SessionId) -> Notice {
    Notice::Close(of_session(id))
}

/// All sessions of a subject have ended.
#[must_use]
pub fn sessions_ended(subject: &Subject) -> Notice {
    Notice::Close(sessions_of(subject))
}

/// Tokens of a user are refused. Sockets of newer ones are closed, too, and may be opened again.
#[must_use]
pub fn tokens_refused(user: UserId) -> Notice {
    Notice::Close(tokens_of(user))
}

fn of_session(id: SessionId) -> String {
    format!("session-{id}")
}

fn sessions_of(subject: &Subject) -> String {
    format!("sessions-{}", subject.to_string().replace(':', "-"))
}

fn tokens_of(user: UserId) -> String {
    format!("tokens-{user}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_hears_what_is_revoked_of_its_user() {
        let proof = Proof::of_token(Some("7"), Some(1000));
        let Notice::Close(channel) = tokens_refused("7".parse().unwrap()) else {
            panic!("it closes");
        };
        assert_eq!(channels_of(&proof), [channel]);
        assert!(channels_of(&Proof::Nothing).is_empty());
    }

    #[test]
    fn no_name_of_a_service_breaks_a_header() {
        let Notice::Close(channel) = sessions_ended(&Subject::Service("a, b; c".into())) else {
            panic!("it closes");
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        assert!(channel.chars().all(plain), "{channel}");
    }
}
