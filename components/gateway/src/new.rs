//! `handle_new`: a socket opens.

use futures::join;
use http::HeaderName;
use messaging::api::{Rate, RequestContext};
use messaging::auth::{self, AuthMode, Claim, Cookies};
use messaging::gateway::{Channel, Proxy, Socket, SocketLease, rights};
use messaging::ids::UserId;
use messaging::{Error, Result, feeds, presence, sealing};
use platform::config;
use platform::grip::{Control, EXTENSION, EXTENSION_VALUE, SocketEvent, text_frame};
use platform::http::Response;

use crate::{answer, socket};

/// Lets a caller open a socket, and greets it.
pub async fn handle(proxy: &Proxy, context: RequestContext, user: UserId) -> Result<Response> {
    // Nothing that the socket delivers could be opened.
    sealing::keys().await?;
    let claim = authenticate(&context).await?;
    let authentication = claim.authentication.clone();
    let caller = authentication.identity.caller(Some(user));
    caller.must_be(user)?;
    let client = context.host_header("spin-client-addr");
    let rate = Rate::of_caller(&authentication, Some(user), client).await?;
    let (proved, charged) = join!(claim.check(), rate.charge(1));
    proved.and(charged)?;
    let opened = Socket::new(&context, user, caller, &authentication);
    let opened = opened.ok_or(Error::malformed("Connection-Id", "is missing"))?;
    if socket::read(context).await?.first() != Some(&SocketEvent::Open) {
        return Err(Error::malformed("body", "does not begin with OPEN"));
    }
    let lease = SocketLease::of(&opened);
    lease.acquire().await?;
    match greet(proxy, &opened).await {
        Ok(response) => Ok(response),
        Err(error) => {
            lease.release().await;
            Err(error)
        }
    }
}

/// By ticket, else as any other request.
async fn authenticate(context: &RequestContext) -> Result<Claim> {
    context.must_not_repeat_parameters()?;
    if let Some(ticket) = context.query_text("ticket") {
        return Ok(auth::redeem_ticket(&ticket).await?.into());
    }
    if auth::auth_mode().await? == AuthMode::Open {
        must_be_own_origin(context).await?;
    }
    auth::identify(context, Cookies::Accepted).await
}

/// A browser asks no server whether a page of another site may open a socket. Where nothing but the
/// request's address says who calls, only pages of this service and of `cors_origins` may.
async fn must_be_own_origin(context: &RequestContext) -> Result<()> {
    let Some(origin) = context.header("origin") else {
        return Ok(());
    };
    let listed = config::text("cors_origins").await?;
    let is_listed = listed.split(',').any(|listed| listed.trim() == origin);
    let host = origin.split_once("://").map(|(_, host)| host);
    if is_listed || host.is_some() && host == context.authority().as_deref() {
        return Ok(());
    }
    Err(Error::Forbidden("Pages of another origin open no socket."))
}

async fn greet(proxy: &Proxy, opened: &Socket) -> Result<Response> {
    let device = opened.device();
    let (online, position, ()) = join!(
        presence::heartbeat(opened.user, &device),
        feeds::newest_position(opened.user),
        presence::mark_seen(opened.user)
    );
    online?;
    let channels = [Channel::Sockets(opened.user), Channel::Everyone];
    let channels = channels.iter().map(Channel::to_string);
    let channels = channels.chain(rights::channels_of(opened.proof()));
    let subscribe = channels.map(|channel| Control::Subscribe { channel }.frame());
    let hello = text_frame(&answer::hello(opened.user, &position?));
    let events = [SocketEvent::Open].into_iter().chain(subscribe);
    let events: Vec<SocketEvent> = events.chain([hello]).collect();
    let response = socket::respond(proxy, opened, &events).await?;
    Ok(response.header(HeaderName::from_static(EXTENSION), EXTENSION_VALUE))
}
