//! Creating, changing, joining and leaving.

use futures::FutureExt;
use platform::postgres::parameters::{
    boolean, bytes, number, numbers, optional_boolean, optional_number, optional_text, text,
};
use platform::postgres::{ParameterValue, Repeat, Row, query_one};
use platform::random;
use sha2::{Digest, Sha256};

use super::not_found;
use super::rights::drop_cached;
use crate::cache::share;
use crate::content::Title;
use crate::events::{Event, EventType};
use crate::ids::{ConversationId, Seq, UserId};
use crate::messages::CallerKey;
use crate::records::Actor;
use crate::sealing::{self, Binding, Keys};
use crate::{Error, Result, typing};

/// The most participants of one conversation. Each event goes to each of them.
pub const MAX_PARTICIPANTS: usize = 500;
/// The most conversations that one user takes part in.
pub const MAX_CONVERSATIONS: usize = 20_000;

/// A conversation that was created, now or by an earlier request with the same key.
#[derive(Debug)]
pub struct Created {
    /// Which one.
    pub id: ConversationId,
    /// As it is now.
    pub json: String,
    /// Whether this request created it.
    pub is_new: bool,
}

/// Creates a conversation and shares that.
pub async fn create(
    title: Option<Title>,
    participants: &[UserId],
    key: CallerKey,
) -> Result<Created> {
    const CREATE: &str = "
        select outcome, conversation_id, seq, conversation, known_digest
        from create_numbered_conversation(
            $1::bigint, $2::text, $3::bigint[], $4::text, $5::text, $6::bytea, $7)";
    let keys = sealing::keys().await?;
    let title = title.map(Title::into_string);
    let digest = digest(title.as_deref(), participants);
    let sealed_digest = keys.seal_digest(digest).map(String::into_bytes);
    let (number_of_it, title) = sealed(&keys, title).await?;
    let parameters = vec![
        optional_number(number_of_it.map(ConversationId::get)),
        optional_text(title),
        numbers(participants.iter().map(|user| user.get())),
        text(key.caller),
        text(key.key.into_string()),
        bytes(sealed_digest.unwrap_or_else(|| digest.to_bytes().to_vec())),
        number(MAX_CONVERSATIONS as i64),
    ];
    let (outcome, mut row) = call(CREATE, parameters).await?;
    match &*outcome {
        "done" | "repeated" | "conflict" => {}
        "too_many" => return Err(too_many("participantIds")),
        other => return Err(unexpected("create_numbered_conversation", other)),
    }
    let (id, seq): (ConversationId, Option<Seq>) = (row.take()?, row.take()?);
    let json = keys.open(row.take()?);
    let known: Option<String> = row.take()?;
    let is_same = |known: String| keys.is_on() && keys.is_digest(&known, digest);
    if outcome == "conflict" && !known.is_some_and(is_same) {
        return Err(Error::Conflict(
            "This idempotency key was used for another conversation.",
        ));
    }
    share_change(id, seq, EventType::ConversationCreated, None).await;
    Ok(Created {
        id,
        json,
        is_new: seq.is_some(),
    })
}

/// A title as PostgreSQL gets it. A sealed one belongs to the number of its conversation, which is taken
/// before.
async fn sealed(
    keys: &Keys,
    title: Option<String>,
) -> Result<(Option<ConversationId>, Option<String>)> {
    let Some(title) = title else {
        return Ok((None, None));
    };
    if !keys.is_on() {
        return Ok((None, Some(title)));
    }
    let row = query_one(Repeat::Safe, "select next_conversation_id()", vec![]).await?;
    let mut row = row.ok_or_else(|| Error::internal("no number of a conversation"))?;
    let id = row.take()?;
    Ok((Some(id), Some(keys.seal(title, Binding::Title(id)))))
}

/// What makes two requests the same: title and participants, whatever their order.
fn digest(title: Option<&str>, participants: &[UserId]) -> sealing::Digest {
    let mut hash = Sha256::new();
    for user in participants {
        hash.update(user.get().to_be_bytes());
    }
    hash.update([u8::from(title.is_some())]);
    hash.update(title.unwrap_or_default());
    sealing::Digest::finish(hash)
}

/// Adds a participant and shares that; only for a participant, or a service. The conversation, and
/// whether the user is new in it.
pub async fn join(
    id: ConversationId,
    user: UserId,
    caller: Option<UserId>,
    actor: &Actor,
) -> Result<(String, bool)> {
    const JOIN: &str = "
        select outcome, seq, conversation
        from join_conversation($1, $2, $3, $4, $5, $6::text, $7::text)";
    let [name, request] = actor.parameters();
    let parameters = vec![
        number(id.get()),
        number(user.get()),
        optional_number(caller.map(UserId::get)),
        number(MAX_PARTICIPANTS as i64),
        number(MAX_CONVERSATIONS as i64),
        name,
        request,
    ];
    let (outcome, mut row) = call(JOIN, parameters).await?;
    match &*outcome {
        "done" | "unchanged" => {}
        "no_conversation" => return Err(row.refusal(not_found())),
        "full" => {
            let most = format!("a conversation has at most {MAX_PARTICIPANTS} participants");
            return Err(row.refusal(Error::invalid("userId", most)));
        }
        "too_many" => return Err(row.refusal(too_many("userId"))),
        other => return Err(unexpected("join_conversation", other)),
    }
    let (seq, json): (Option<Seq>, String) = (row.take()?, row.take()?);
    share_change(id, seq, EventType::ParticipantJoined, Some(user)).await;
    Ok((sealing::open(json).await?, seq.is_some()))
}

/// Removes a participant and shares that; only for themselves, or a service. They stop typing there.
pub async fn leave(
    id: ConversationId,
    user: UserId,
    caller: Option<UserId>,
    actor: &Actor,
) -> Result<()> {
    const LEAVE: &str = "
        select outcome, seq from leave_conversation($1, $2, $3, $4::text, $5::text, $6::text)";
    let [name, request] = actor.parameters();
    let parameters = vec![
        number(id.get()),
        number(user.get()),
        optional_number(caller.map(UserId::get)),
        // Names this request, so that its repetition ends as it did.
        text(random::secret()),
        name,
        request,
    ];
    let (outcome, mut row) = call(LEAVE, parameters).await?;
    match &*outcome {
        "done" | "unchanged" => {}
        "no_conversation" => return Err(row.refusal(not_found())),
        "not_oneself" => return Err(Error::Forbidden("A user acts only as themselves.")),
        "not_a_participant" => {
            return Err(row.refusal(Error::NotFound("There is no such participant.")));
        }
        other => return Err(unexpected("leave_conversation", other)),
    }
    share_change(id, row.take()?, EventType::ParticipantLeft, Some(user)).await;
    if let Err(cause) = typing::stop(id, user).await {
        log::warn!("the typing indicator of a user who left is not removed yet: {cause}");
    }
    Ok(())
}

/// What a request changes of a conversation; the rest stays.
#[derive(Debug, Default)]
pub struct ConversationPatch {
    /// The title, or none.
    pub title: Option<Option<Title>>,
    /// After how many days messages are erased: 0 is never, `None` what the operator says.
    pub retention_days: Option<Option<i64>>,
    /// Whether edits and deletions keep the text before them.
    pub keeps_revisions: Option<bool>,
    /// Whether the assistant may read the messages.
    pub assistant: Option<bool>,
}

impl ConversationPatch {
    /// Whether it changes how long something is kept.
    #[must_use]
    pub const fn changes_policies(&self) -> bool {
        self.retention_days.is_some() || self.keeps_revisions.is_some()
    }
}

/// Changes a conversation and shares that; only for a participant, or without one for all. Its JSON.
pub async fn change(
    id: ConversationId,
    caller: Option<UserId>,
    patch: ConversationPatch,
    actor: &Actor,
) -> Result<String> {
    const CHANGE: &str = "
        select outcome, seq, conversation
        from change_conversation($1, $2, $3, $4::text, $5, $6::bigint::integer, $7, $8, $9::text, $10::text)";
    let keys = sealing::keys().await?;
    let [name, request] = actor.parameters();
    let changes_title = patch.title.is_some();
    let title = match patch.title.flatten().map(Title::into_string) {
        Some(title) if keys.is_on() => Some(resealed(&keys, id, &title).await?),
        title => title,
    };
    let parameters = vec![
        number(id.get()),
        optional_number(caller.map(UserId::get)),
        boolean(changes_title),
        optional_text(title),
        boolean(patch.retention_days.is_some()),
        optional_number(patch.retention_days.flatten()),
        optional_boolean(patch.keeps_revisions),
        optional_boolean(patch.assistant),
        name,
        request,
    ];
    let (outcome, mut row) = call(CHANGE, parameters).await?;
    match &*outcome {
        "done" | "unchanged" => {}
        "no_conversation" => return Err(row.refusal(not_found())),
        other => return Err(unexpected("change_conversation", other)),
    }
    let (seq, json): (Option<Seq>, String) = (row.take()?, row.take()?);
    share_change(id, seq, EventType::ConversationChanged, None).await;
    Ok(keys.open(json))
}

/// A new title, sealed. The title that the conversation has already is given as it is stored, and the same
/// new one is the same each time: by that the database knows what changes nothing.
async fn resealed(keys: &Keys, id: ConversationId, title: &str) -> Result<String> {
    const TITLE: &str = "select c.title from conversations c where c.id = $1";
    let row = query_one(Repeat::Safe, TITLE, vec![number(id.get())]).await?;
    let present: Option<String> = row.map_or(Ok(None), |mut row| row.take())?;
    let binding = Binding::Title(id);
    Ok(keys.seal_again(present, id.get(), title, binding))
}

async fn call(statement: &'static str, parameters: Vec<ParameterValue>) -> Result<(String, Row)> {
    let row = query_one(Repeat::Safe, statement, parameters).await?;
    let mut row = row.ok_or_else(|| Error::internal("a change gave no row"))?;
    Ok((row.take()?, row))
}

fn too_many(field: &'static str) -> Error {
    Error::invalid(
        field,
        format!("a user takes part in at most {MAX_CONVERSATIONS} conversations"),
    )
}

fn unexpected(function: &str, outcome: &str) -> Error {
    Error::internal(format!("{function}: outcome {outcome}"))
}

/// The conversation changed, by this request or by an earlier one whose acknowledgement was lost.
async fn share_change(
    id: ConversationId,
    seq: Option<Seq>,
    event_type: EventType,
    user: Option<UserId>,
) {
    share::share(move |redis| {
        let event = seq.map(|seq| Event {
            event_type,
            conversation: id,
            seq,
            message_id: None,
            message: None,
            user,
        });
        let mut steps = share::publish_if(redis, event.as_ref());
        steps.push(drop_cached(redis, id).boxed_local());
        steps
    })
    .await;
}
