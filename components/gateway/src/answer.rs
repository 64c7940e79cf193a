//! What a client gets: `hello`, `ok`, `error`.

use std::fmt::Display;

use messaging::Error;
use messaging::ids::UserId;
use platform::http::{SseEvent, problem_json};

/// How often a client asks whether it has all events.
const HEARTBEAT_SECONDS: u64 = 30;

/// The first frame.
pub fn hello(user: UserId, last_event_id: &impl Display) -> String {
    format!(
        r#"{{"type":"hello","userId":{user},"lastEventId":"{last_event_id}","heartbeatSeconds":{HEARTBEAT_SECONDS}}}"#
    )
}

/// A text as JSON.
pub fn text(text: &str) -> String {
    // A text has a JSON form.
    serde_json::to_string(text).unwrap_or_default()
}

/// The answer to a frame that was carried out, with more members, which are JSON.
pub fn ok(reference: Option<&str>, members: &[(&str, &str)]) -> String {
    let mut frame = begin("ok", reference);
    for (name, value) in members {
        frame.push_str(&format!(r#","{name}":{value}"#));
    }
    frame.push('}');
    frame
}

/// The answer to a frame that was not.
pub fn error(reference: Option<&str>, error: &Error) -> String {
    if let Error::Internal(_) | Error::Unavailable(..) = error {
        log::error!("a frame is not answered: {error}");
    }
    let frame = begin("error", reference);
    format!(r#"{frame},"problem":{}}}"#, problem_json(error))
}

/// The client fetches its state anew.
pub fn resync(position: &str) -> String {
    let event = SseEvent::resync(position).data;
    let members = event.strip_prefix('{').unwrap_or(&event);
    format!(r#"{{"id":{},{members}"#, text(position))
}

fn begin(name: &str, reference: Option<&str>) -> String {
    let reference = reference.map(|reference| format!(r#","ref":{}"#, text(reference)));
    format!(r#"{{"type":"{name}"{}"#, reference.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_repeats_the_reference() {
        assert_eq!(ok(None, &[]), r#"{"type":"ok"}"#);
        assert_eq!(
            ok(Some("a\"b"), &[("readAt", "1")]),
            r#"{"type":"ok","ref":"a\"b","readAt":1}"#
        );
        let problem = error(Some("x"), &Error::NotFound("None."));
        assert!(
            problem.starts_with(r#"{"type":"error","ref":"x","problem":{"type":"about:blank""#)
        );
        assert!(
            problem.ends_with(r#""status":404,"detail":"None."}}"#),
            "{problem}"
        );
    }

    #[test]
    fn a_resync_has_its_position() {
        assert_eq!(resync("5-0.ab"), r#"{"id":"5-0.ab","type":"resync"}"#);
    }
}
