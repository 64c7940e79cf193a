//! `handle_frames`: what a socket sends, or that it is still there.

use std::time::Duration;

use futures::join;
use messaging::api::{Rate, content_body_limit};
use messaging::auth;
use messaging::gateway::{Proxy, Socket, SocketLease};
use messaging::sessions::Use;
use messaging::{Error, Result, presence, relay};
use platform::grip::{SocketEvent, text_frame};
use platform::http::Response;

use crate::{answer, frame, socket};

/// RFC 6455, 7.4.1: not UTF-8.
const INVALID: u16 = 1007;
/// RFC 6455, 7.4.1: too long.
const TOO_LONG: u16 = 1009;
/// The right to the socket ended.
const UNAUTHORIZED: u16 = 4401;

/// How long presence and lease need no renewal, unless the proxy was asked to check all sockets: then
/// Redis may have lost them.
const RENEWAL: Duration = Duration::from_secs(15);
const CHECKED: Duration = Duration::from_secs(1);

/// Answers what a socket sends. A request without any of it says that the socket is still open.
pub async fn handle(proxy: &Proxy, mut of: Socket, events: Vec<SocketEvent>) -> Result<Response> {
    if of.is_expired() || is_revoked(&of).await {
        let events = [close(UNAUTHORIZED)];
        return socket::respond(proxy, &of, &events).await;
    }
    let ends =
        |event: &SocketEvent| matches!(event, SocketEvent::Close(..) | SocketEvent::Disconnect);
    let is_check = |event: &SocketEvent| matches!(event, SocketEvent::Pong(_));
    let renewal = if events.iter().any(is_check) {
        CHECKED
    } else {
        RENEWAL
    };
    if !events.iter().any(ends) && (events.is_empty() || of.since_renewal() >= renewal) {
        renew(&mut of).await;
    }
    let authentication = of.authentication();
    let rate = Rate::of_caller(&authentication, Some(of.user), None).await?;
    let mut out = Vec::new();
    for event in events {
        if answer_event(&of, &rate, event, &mut out).await? == After::Ended {
            break;
        }
    }
    socket::respond(proxy, &of, &out).await
}

/// A store that does not answer ends no socket.
async fn is_revoked(of: &Socket) -> bool {
    let checked = auth::check(of.proof(), Use::None).await;
    matches!(checked, Err(Error::Unauthorized(_)))
}

/// Whether the socket goes on.
#[derive(PartialEq, Eq)]
enum After {
    Open,
    Ended,
}

async fn answer_event(
    of: &Socket,
    rate: &Rate,
    event: SocketEvent,
    out: &mut Vec<SocketEvent>,
) -> Result<After> {
    match event {
        SocketEvent::Text(text) if text.len() > content_body_limit().await? => {
            return Ok(end_with(TOO_LONG, of, out).await);
        }
        SocketEvent::Text(text) => match str::from_utf8(&text) {
            Ok(_) => {
                let answers = frame::answer(of, rate, &text).await;
                out.extend(answers.iter().map(|answer| text_frame(answer)));
            }
            Err(_) => return Ok(end_with(INVALID, of, out).await),
        },
        SocketEvent::Binary(_) => {
            let error = Error::malformed("frame", "is not text");
            out.push(text_frame(&answer::error(None, &error)));
        }
        SocketEvent::Ping(payload) => out.push(SocketEvent::Pong(payload)),
        SocketEvent::Close(code, _) => {
            sign_off(of).await;
            out.push(SocketEvent::Close(code, vec![]));
            return Ok(After::Ended);
        }
        // Presence expires: the connection may have been lost, and the client comes back.
        SocketEvent::Disconnect => {
            SocketLease::of(of).release().await;
            return Ok(After::Ended);
        }
        SocketEvent::Open | SocketEvent::Pong(_) => {}
    }
    Ok(After::Open)
}

fn close(code: u16) -> SocketEvent {
    SocketEvent::Close(Some(code), vec![])
}

async fn end_with(code: u16, of: &Socket, out: &mut Vec<SocketEvent>) -> After {
    SocketLease::of(of).release().await;
    out.push(close(code));
    After::Ended
}

/// A clean end: the user is offline at once, unless another device is online.
async fn sign_off(of: &Socket) {
    let (lease, device) = (SocketLease::of(of), of.device());
    let (signed_off, ()) = join!(presence::sign_off(of.user, Some(&device)), lease.release());
    if let Err(cause) = signed_off {
        log::warn!("the presence of a closed socket expires: {cause}");
    }
}

/// An open socket is a heartbeat. And events may wait, because no relay received the last wake-up.
pub async fn renew(of: &mut Socket) {
    let (lease, device) = (SocketLease::of(of), of.device());
    let (online, leased, ()) = join!(
        presence::heartbeat(of.user, &device),
        lease.renew(),
        relay::wake_up_if(true)
    );
    match online.map(|_| ()).and(leased) {
        Ok(()) => of.renewed(),
        Err(cause) => log::warn!("a socket is not renewed: {cause}"),
    }
}
