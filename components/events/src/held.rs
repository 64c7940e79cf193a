//! Event streams that the proxy holds: the response has what the client lacks, the relay publishes what
//! follows, and the proxy asks by a link for what it did not get.

use std::time::Duration;

use futures::join;
use messaging::api::RequestContext;
use messaging::auth;
use messaging::feeds::{self, HeldLease, HeldPage};
use messaging::gateway::{HeldStream, Proxy, Source};
use messaging::ids::UserId;
use messaging::sessions::Use;
use messaging::{Error, Result, conversations, presence, relay};
use platform::grip;
use platform::http::{LIFETIME_OVER, LastEventId, Response, SseEvent, event_text, opening};

/// How many bytes of events may be in the response that begins a stream: a proxy buffers it whole.
const FIRST: usize = 32 * 1024;

/// The response to a request that the proxy can hold; `None` if the component has to serve the stream
/// itself: the request came straight, or a store is away.
pub async fn open(
    context: &RequestContext,
    source: Source,
    caller: Option<UserId>,
    lifetime: Option<Duration>,
) -> Option<Result<Response>> {
    let proxy = Proxy::configured().await.ok()??;
    if !HeldStream::is_wanted(context, &proxy) {
        return None;
    }
    let proof = context.authentication().proof.clone();
    let stream = HeldStream::new(source, caller, proof, lifetime);
    match begin(context, &proxy, stream).await {
        Err(Error::Unavailable(..)) => None,
        begun => Some(begun),
    }
}

async fn begin(context: &RequestContext, proxy: &Proxy, stream: HeldStream) -> Result<Response> {
    if let Some(lease) = HeldLease::of(&stream) {
        lease.acquire().await?;
    }
    match first_page(context, &stream).await {
        Ok(page) => Ok(first_response(proxy, stream, page)),
        Err(error) => {
            release(&stream).await;
            Err(error)
        }
    }
}

/// What is read after the relay was asked to publish is complete with what it publishes.
async fn first_page(context: &RequestContext, stream: &HeldStream) -> Result<HeldPage> {
    match stream.source {
        Source::Conversation(id) => {
            conversations::visible(id, stream.caller).await?;
            feeds::hold_conversation(id).await?;
            let page = feeds::conversation_page(id, stream.caller, context.last_event_id());
            page.await?.ok_or(conversations::not_found())
        }
        Source::Feed(user) => {
            let (held, ()) = join!(feeds::hold_feed(user), presence::mark_seen(user));
            held?;
            feeds::feed_page(user, context.last_event_id()).await
        }
    }
}

fn first_response(proxy: &Proxy, stream: HeldStream, page: HeldPage) -> Response {
    let text = text(&page.events);
    match &page.start {
        // The link brings them, in any number.
        Some(start) if page.more || text.len() > FIRST => {
            let stream = stream.at(start.clone(), true);
            let response = event_text(opening(page.start));
            grip::go_on(response, &stream.link(proxy))
        }
        _ => {
            let response = event_text(opening(page.start) + &text);
            hold(proxy, stream.at(page.last, false), response)
        }
    }
}

fn text(events: &[SseEvent]) -> String {
    events.iter().map(SseEvent::to_string).collect()
}

fn hold(proxy: &Proxy, stream: HeldStream, response: Response) -> Response {
    grip::hold(response, &stream.subscriptions(), &stream.link(proxy))
}

/// `GET /api/v1/messages/held-streams/:stream`: the proxy asks for what a stream lacks, and whether it
/// goes on.
pub async fn run(context: RequestContext) -> Result<Response> {
    let proxy = Proxy::of(&context).await?;
    let stream = HeldStream::of(&context, &proxy)?;
    if is_revoked(&stream).await {
        release(&stream).await;
        return Ok(event_text(String::new()));
    }
    if stream.is_over() {
        release(&stream).await;
        return Ok(event_text(LIFETIME_OVER.into()));
    }
    let position = stream.position(&context);
    let renewed = renew(&stream).await;
    match next_page(&stream, &position).await {
        Ok(Some(page)) if page.more => {
            let response = event_text(text(&page.events));
            let stream = stream.at(page.last, true);
            Ok(grip::go_on(response, &stream.link(&proxy)))
        }
        Ok(Some(page)) => {
            let response = event_text(text(&page.events));
            let stream = stream.at(page.last, false).if_renewed(renewed);
            Ok(hold(&proxy, stream, response))
        }
        Ok(None) => {
            release(&stream).await;
            Ok(event_text(String::new()))
        }
        // As a stream that is served straight, it waits for the store.
        Err(Error::Unavailable(..)) => {
            let stream = stream.at(position, false).if_renewed(false);
            Ok(hold(&proxy, stream, event_text(String::new())))
        }
        Err(error) => Err(error),
    }
}

/// A store that does not answer ends no stream.
async fn is_revoked(stream: &HeldStream) -> bool {
    let checked = auth::check(stream.proof(), Use::None).await;
    matches!(checked, Err(Error::Unauthorized(_)))
}

/// What a stream lacks behind a position; `None` if its user may not see it any more.
async fn next_page(stream: &HeldStream, position: &str) -> Result<Option<HeldPage>> {
    match stream.source {
        Source::Conversation(id) => {
            let last = position
                .parse()
                .map_or(LastEventId::Unknown, LastEventId::After);
            feeds::conversation_page(id, stream.caller, last).await
        }
        Source::Feed(user) => {
            let last = position
                .parse()
                .map_or(LastEventId::Unknown, LastEventId::After);
            // Perhaps no relay received the last wake-up.
            relay::wake_up_if(true).await;
            Ok(Some(feeds::feed_page(user, last).await?))
        }
    }
}

/// Whether the relay goes on publishing, and the stream counts as open.
async fn renew(stream: &HeldStream) -> bool {
    let held = async {
        match stream.source {
            Source::Conversation(id) => feeds::hold_conversation(id).await,
            Source::Feed(user) => feeds::hold_feed(user).await,
        }
    };
    let leased = async {
        match HeldLease::of(stream) {
            Some(lease) => lease.renew().await,
            None => Ok(()),
        }
    };
    let (held, leased) = join!(held, leased);
    held.and(leased).is_ok()
}

async fn release(stream: &HeldStream) {
    if let Some(lease) = HeldLease::of(stream) {
        lease.release().await;
    }
}
