//! Answers in Redis, and one question asked once.

use std::rc::Rc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use platform::redis::{Script, millis, unexpected};
use platform::{args, clock, config, random};
use sha2::Sha256;

use super::{Answer, Request, Upstream};
use crate::sealing::{self, Binding, Keys, Opened};
use crate::{Error, RedisService, Result, keys};

/// Gives the answer, or the right to ask for it.
const LOOK: Script = Script::idempotent(include_str!("lua/look.lua"));
/// Keeps an answer, or gives up the right to ask.
const END: Script = Script::idempotent(include_str!("lua/end.lua"));

/// How long nothing is heard of a request that asks the model until another one does.
const LEASE: Duration = Duration::from_secs(6);
const RENEWAL: Duration = Duration::from_secs(2);

/// What Redis has of a question.
pub enum Look {
    /// Its answer.
    Known(Answer),
    /// Nothing; it is this request that asks.
    Ours,
    /// Another request asks.
    Asked,
}

/// The answer to one question.
pub struct Answers {
    key: String,
    lease: String,
    /// Names this request.
    token: String,
    ttl: Duration,
    /// An answer is sealed as contents are.
    keys: Rc<Keys>,
    binding: Binding,
}

impl Answers {
    /// The answers to a request.
    pub async fn to(request: &Request, upstream: &Upstream) -> Result<Self> {
        let content_keys = sealing::keys().await?;
        let digest = digest(request, upstream, &content_keys)?;
        let key = keys::assistant(request.conversation, &digest);
        Ok(Self {
            lease: format!("{key}:asked"),
            key,
            token: random::secret(),
            ttl: config::seconds("ai_cache_ttl").await?,
            keys: content_keys,
            binding: Binding::Answer(request.conversation),
        })
    }

    /// What there is.
    pub async fn look(&self) -> Result<Look> {
        let arguments = args![&self.token, millis(LEASE)];
        let reply: Vec<Vec<u8>> = RedisService::required()
            .script_on(LOOK, &[&self.key, &self.lease], arguments)
            .await?;
        let mut reply = reply.into_iter();
        match (reply.next().as_deref(), reply.next()) {
            (Some(b"known"), Some(answer)) => {
                Ok(self.read(&answer).map_or(Look::Asked, Look::Known))
            }
            (Some(b"ours"), _) => Ok(Look::Ours),
            (Some(b"asked"), _) => Ok(Look::Asked),
            _ => Err(unexpected("a look at an answer").into()),
        }
    }

    fn read(&self, stored: &[u8]) -> Option<Answer> {
        let stored = str::from_utf8(stored).ok()?;
        match self.keys.open_text(stored, self.binding) {
            Opened::Plain => serde_json::from_str(stored).ok(),
            Opened::Text(json) => serde_json::from_str(&json).ok(),
            Opened::Unreadable(_) => None,
        }
    }

    /// Holds the right to ask until the model has answered.
    pub async fn while_asking<T>(&self, asking: impl Future<Output = T>) -> T {
        let renewals = async {
            loop {
                clock::sleep(RENEWAL).await;
                // The next one tries again.
                let _ = self.look().await;
            }
        };
        let (asking, renewals) = (std::pin::pin!(asking), std::pin::pin!(renewals));
        match futures::future::select(asking, renewals).await {
            futures::future::Either::Left((answer, _)) => answer,
            futures::future::Either::Right((never, _)) => never,
        }
    }

    /// Keeps the answer for those who ask the same.
    pub async fn keep(&self, answer: &Answer) {
        let json = serde_json::to_string(answer).unwrap_or_default();
        self.end(&self.keys.seal(json, self.binding)).await;
    }

    /// Lets another request ask.
    pub async fn give_up(&self) {
        self.end("").await;
    }

    async fn end(&self, answer: &str) {
        let arguments = args![&self.token, answer, millis(self.ttl)];
        let ended: Result<i64, _> = RedisService::optional()
            .script_on(END, &[&self.key, &self.lease], arguments)
            .await;
        if let Err(cause) = ended {
            log::warn!("an answer of the assistant is not kept: {cause}");
        }
    }
}

/// What an answer depends on, as a code that only who knows the key can make: that of contents, where they
/// are sealed, so that an answer is found by the key that sealed it.
fn digest(request: &Request, upstream: &Upstream, keys: &Keys) -> Result<String> {
    let of_contents = keys.for_purpose("lexiflow assistant");
    let secret = of_contents
        .as_ref()
        .map_or(upstream.secret(), |key| &key[..]);
    let mac = Hmac::<Sha256>::new_from_slice(secret);
    let mut mac = mac.map_err(|error| Error::internal(error.to_string()))?;
    let numbers = [
        request.conversation.get(),
        request.list_seq,
        request.task as i64,
        i64::try_from(request.limit).unwrap_or(i64::MAX),
    ];
    for number in numbers {
        mac.update(&number.to_be_bytes());
    }
    for text in [Some(&upstream.model), request.question.as_ref()] {
        let text = text.map_or("", String::as_str);
        mac.update(&(text.len() as u64).to_be_bytes());
        mac.update(text.as_bytes());
    }
    Ok(keys::hexadecimal(&mac.finalize().into_bytes()))
}
