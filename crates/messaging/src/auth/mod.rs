//! Who calls, and what they may do.
//!
//! - `scopes`: what a token may hold besides a user.
//! - `identity`: users and services, and the authentication of them.
//! - `bearer`: the token in a request's headers.
//! - [`token`]: from a token to an authentication, with the operator's [`keys`].
//! - [`cookie`], `session`: from a session's cookie to an authentication. `cross_site`: whether a page
//!   of another site may have sent it.
//! - [`Proof`]: what an authentication rests on, and whether that is revoked.
//! - `signature`: the algorithms behind it.
//! - `open`: where a request is answered that proves nothing, with `auth_mode=open`.
//! - `ticket`: what a browser's event stream shows instead of a token.

mod bearer;
pub mod cookie;
mod cross_site;
mod identity;
pub mod keys;
mod open;
mod proof;
mod scopes;
mod session;
pub(crate) mod signature;
mod ticket;
pub mod token;

use std::cell::OnceCell;

pub use cross_site::must_come_from_here;
pub use identity::{Authentication, Caller, Identity};
pub use proof::{Claim, Proof, SessionProof, check, while_valid};
pub use scopes::{METRICS_SCOPE, RECORDS_SCOPE, SERVICE_SCOPE, Scopes};
pub use ticket::{TICKET_TTL, issue_ticket, redeem_ticket};

use crate::{Error, Result};
use platform::config;
use platform::error::Credentials;
use platform::http::{Headers, Request};
use token::Verifier;

thread_local! {
    /// What checks tokens; `None` inside if the operator's settings allow none.
    static VERIFIER: OnceCell<Option<Verifier>> = const { OnceCell::new() };
}

/// Establishes who claims to have sent a request, or 401. Whether that is revoked, [`check`] says.
pub async fn identify(request: &Request, cookies: Cookies) -> Result<Claim> {
    let claim = match auth_mode().await? {
        AuthMode::Open => {
            open::must_be_local(request)?;
            let session = by_cookie(request, AuthMode::Open, cookies).await?;
            session.unwrap_or_else(|| Authentication::none().into())
        }
        AuthMode::Jwt => match by_token(request.headers()).await {
            Err(missing @ Error::Unauthorized(Credentials::Missing)) => {
                by_cookie(request, AuthMode::Jwt, cookies)
                    .await?
                    .ok_or(missing)?
            }
            proved => proved?.into(),
        },
    };
    if claim.authentication.proof.is_refused() {
        return Err(Error::Unauthorized(Credentials::Invalid));
    }
    Ok(claim)
}

/// Whether a session's cookie identifies the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookies {
    /// As a token would.
    Accepted,
    /// It counts as absent.
    Ignored,
}

async fn by_cookie(request: &Request, mode: AuthMode, cookies: Cookies) -> Result<Option<Claim>> {
    match cookies {
        Cookies::Accepted => session::identify(request, mode).await,
        Cookies::Ignored => Ok(None),
    }
}

async fn by_token(headers: &Headers) -> Result<Authentication> {
    let secret = config::text("jwt_secret").await?;
    let jwks = config::text("jwt_jwks").await?;
    let issuer = config::text("jwt_issuer").await?;
    let audience = config::text("jwt_audience").await?;
    VERIFIER.with(|verifier| {
        let verifier = verifier.get_or_init(|| {
            Verifier::new(&secret, &jwks, &issuer, &audience)
                .inspect_err(|fault| log::error!("every request is refused: {fault}"))
                .ok()
        });
        let token = bearer::token(headers)?;
        verifier
            .as_ref()
            .and_then(|verifier| verifier.verify(token))
            .ok_or(Error::Unauthorized(Credentials::Invalid))
    })
}

/// How callers are identified (`auth_mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMode {
    /// A verified bearer token says who calls.
    Jwt,
    /// The request's own ids say who calls: for local development only.
    Open,
}

/// The `auth_mode` variable.
pub async fn auth_mode() -> Result<AuthMode> {
    match &*config::text("auth_mode").await? {
        "jwt" => Ok(AuthMode::Jwt),
        "open" => Ok(AuthMode::Open),
        _ => Err(Error::internal(
            "variable auth_mode is neither \"jwt\" nor \"open\"",
        )),
    }
}
