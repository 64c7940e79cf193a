//! Who calls, and what they may do.
//!
//! - [`access`]: the one table of every route and who may call it.
//! - `identity`: users and services, and the proof of them.
//! - `bearer`: the token in a request's headers.
//! - [`token`]: from a token to a proof, with the operator's [`keys`].
//! - `signature`: the algorithms behind it.
//! - `ticket`: what a browser's event stream shows instead of a token.

pub mod access;
mod bearer;
mod identity;
pub mod keys;
mod signature;
mod ticket;
pub mod token;

use std::cell::OnceCell;

pub use identity::{Caller, Identity, Proof, Session};
pub use ticket::{TICKET_LIFE, issue_ticket, redeem_ticket};

use crate::config::{self, AuthMode};
use crate::error::Credentials;
use crate::http::Headers;
use crate::{Error, Result, log_line};
use token::Verifier;

thread_local! {
    /// What checks tokens; `None` inside if the operator's settings allow none.
    static VERIFIER: OnceCell<Option<Verifier>> = const { OnceCell::new() };
}

/// Establishes the identity behind a request's headers, or 401.
pub async fn identify(headers: &Headers) -> Result<Proof> {
    match config::auth_mode().await? {
        AuthMode::Open => Ok(Proof::open()),
        AuthMode::Jwt => by_token(headers).await,
    }
}

async fn by_token(headers: &Headers) -> Result<Proof> {
    let secret = config::text("jwt_secret").await?;
    let jwks = config::text("jwt_jwks").await?;
    let issuer = config::text("jwt_issuer").await?;
    let audience = config::text("jwt_audience").await?;
    VERIFIER.with(|verifier| {
        let verifier = verifier.get_or_init(|| {
            Verifier::new(&secret, &jwks, &issuer, &audience)
                .inspect_err(|fault| log_line!("ERROR", "every request is refused: {fault}"))
                .ok()
        });
        let token = bearer::token(headers)?;
        verifier
            .as_ref()
            .and_then(|verifier| verifier.verify(token))
            .ok_or(Error::Unauthorized(Credentials::Invalid))
    })
}
