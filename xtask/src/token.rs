//! `token`: an access token for the local instance.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use clap::Args;
use dev_services::secret;
use serde_json::json;

use crate::instance;

/// Print an access token for the instance of `up --auth jwt`.
///
/// It is signed (HS256) with JWT_SECRET if that is set, else with the secret of this checkout.
/// Example: curl -H "Authorization: Bearer $(cargo xtask token --user 1)" ...
#[derive(Args)]
pub struct Arguments {
    /// User id: the subject of the token.
    #[arg(long, value_name = "ID", required_unless_present = "scope")]
    user: Option<u64>,
    /// Scope of the token: messaging:service for a back end.
    #[arg(long)]
    scope: Option<String>,
    /// Lifetime in seconds.
    #[arg(long, default_value_t = 3600, value_name = "SECONDS")]
    ttl: u64,
}

pub fn run(arguments: Arguments) -> Result<()> {
    let end = SystemTime::now()
        .checked_add(Duration::from_secs(arguments.ttl))
        .context("--ttl is too long")?;
    let end = end.duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let mut claims = json!({ "exp": end });
    if let Some(user) = arguments.user {
        claims["sub"] = user.to_string().into();
    }
    if let Some(scope) = arguments.scope {
        claims["scope"] = scope.into();
    }
    println!("{}", jwt_signer::hs256(secret()?.as_bytes(), &claims));
    Ok(())
}

/// The secret of JWT_SECRET, else that of this checkout, created if it is missing.
pub fn secret() -> Result<String> {
    /// RFC 7518, section 3.2: at least the size of the hash.
    const SHORTEST: usize = 32;
    let given = std::env::var("JWT_SECRET").ok();
    if let Some(secret) = given.filter(|secret| !secret.is_empty()) {
        ensure!(
            secret.len() >= SHORTEST,
            "JWT_SECRET is too short: HS256 needs at least {SHORTEST} bytes"
        );
        return Ok(secret);
    }
    let directory = instance::directory();
    dev_services::create_directory(&directory)?;
    secret::load_or_create(&directory.join("jwt-secret"))
}
