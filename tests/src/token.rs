//! An app that requires access tokens, and tokens for it.

use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use testkit::{App, Builder, unique_id};

/// The shared secret of [`closed`] apps.
pub const SECRET: &str = "a secret that only the tests share";
/// The issuer that these apps trust.
pub const ISSUER: &str = "https://issuer.test";
/// The audience of their tokens.
pub const AUDIENCE: &str = "messaging";
/// The scope of a service.
pub const SERVICE_SCOPE: &str = "messaging:service";

/// An app that requires access tokens.
pub fn closed() -> Builder {
    App::builder()
        .variable("auth_mode", "jwt")
        .variable("jwt_secret", SECRET)
        .variable("jwt_issuer", ISSUER)
        .variable("jwt_audience", AUDIENCE)
}

/// A user's token, as a value of `Authorization`.
pub fn user(id: i64) -> String {
    bearer(&claims(id))
}

/// The token of a service that no other test has, as a value of `Authorization`.
pub fn service() -> String {
    let mut claims = claims(0);
    claims["sub"] = format!("service {}", unique_id()).into();
    claims["scope"] = SERVICE_SCOPE.into();
    bearer(&claims)
}

/// The token of a subject with a scope, as a value of `Authorization`.
pub fn with_scope(subject: &str, scope: &str) -> String {
    let mut claims = claims(0);
    claims["sub"] = subject.into();
    claims["scope"] = scope.into();
    bearer(&claims)
}

/// The token of a service with all other scopes, as a value of `Authorization`.
pub fn with_all_scopes() -> String {
    let scopes = "messaging:service messaging:records messaging:metrics";
    with_scope(&format!("service {}", unique_id()), scopes)
}

/// The claims of a user's token that is valid for an hour.
pub fn claims(user: i64) -> Value {
    json!({"sub": user.to_string(), "exp": now() + 3600, "iss": ISSUER, "aud": AUDIENCE})
}

/// A value of `Authorization` with these claims.
pub fn bearer(claims: &Value) -> String {
    format!("Bearer {}", jwt_signer::hs256(SECRET.as_bytes(), claims))
}

/// Unix time in seconds.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
