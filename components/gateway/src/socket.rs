//! `POST /api/v1/messages/users/:userId/socket`: a request of the proxy about one socket.

use std::time::Duration;

use http::{HeaderName, StatusCode};
use messaging::api::{RequestContext, content_body_limit};
use messaging::gateway::{Proxy, Socket};
use messaging::ids::UserId;
use messaging::{Error, Result};
use platform::config;
use platform::grip::{SOCKET_EVENTS, SocketEvent, parse_events, write_events};
use platform::http::Response;

use crate::{frames, new};

/// The longest body: a proxy sends up to 200 kB of frames at a time, and one frame may be too long.
const SLACK: usize = 512 * 1024;
/// The longest time between two requests of the proxy. It takes none below 20 s.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
const SHORTEST_KEEP_ALIVE: Duration = Duration::from_secs(20);

pub async fn run(context: RequestContext) -> Result<Response> {
    let proxy = Proxy::of(&context).await?;
    let user: UserId = context.path_id("userId")?;
    if context.header("content-type") != Some(SOCKET_EVENTS) {
        return Err(Error::UnsupportedMediaType(
            "The body must be application/websocket-events.",
        ));
    }
    let socket = Socket::of(&context, &proxy);
    match socket {
        Some(socket) if socket.user == user => {
            let events = read(context).await?;
            frames::handle(&proxy, socket, events).await
        }
        Some(_) => Err(Error::Forbidden("This is another user's socket.")),
        None => new::handle(&proxy, context, user).await,
    }
}

pub async fn read(context: RequestContext) -> Result<Vec<SocketEvent>> {
    let limit = content_body_limit().await?.saturating_add(SLACK);
    let body = context.raw_body(limit).await?;
    parse_events(&body).map_err(|error| Error::malformed("body", error))
}

/// A response to the proxy.
pub async fn respond(proxy: &Proxy, socket: &Socket, events: &[SocketEvent]) -> Result<Response> {
    const STATE: HeaderName = HeaderName::from_static("set-meta-socket");
    const INTERVAL: HeaderName = HeaderName::from_static("keep-alive-interval");
    let interval = keep_alive(socket).await?.as_secs();
    Ok(
        Response::whole(StatusCode::OK, SOCKET_EVENTS, write_events(events))
            .header(STATE, socket.sealed(proxy))
            .header(INTERVAL, interval),
    )
}

/// When the proxy sends its next request at the latest: soon enough to renew the user's presence, and
/// when their right ends.
async fn keep_alive(socket: &Socket) -> Result<Duration> {
    let presence = config::seconds("presence_ttl").await? / 3;
    let right = socket.remaining().unwrap_or(KEEP_ALIVE);
    let shortest = KEEP_ALIVE.min(presence).min(right);
    Ok(shortest.max(SHORTEST_KEEP_ALIVE))
}
