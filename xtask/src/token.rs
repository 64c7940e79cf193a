//! `token`: an access token for the local instance.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use clap::Args;
use dev_services::secret;
use serde_json::json;

use crate::instance;

/// Print a token for the instance that `up --auth jwt` runs.
///
/// It is signed (HS256) with JWT_SECRET, else with a secret of this checkout's own. For example:
/// curl -H "Authorization: Bearer $(cargo xtask token --user 1)" ...
#[derive(Args)]
pub struct Arguments {
    /// Whom the token proves.
    #[arg(long, value_name = "ID", required_unless_present = "scope")]
    user: Option<u64>,
    /// What it allows besides: messaging:service for a back end.
    #[arg(long)]
    scope: Option<String>,
    /// For how many seconds it is good.
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

/// The secret of JWT_SECRET, else this checkout's own, made where it is missing.
pub fn secret() -> Result<String> {
    /// RFC 7518, 3.2: as many as the hash has.
    const SHORTEST: usize = 32;
    let given = std::env::var("JWT_SECRET").ok();
    if let Some(secret) = given.filter(|secret| !secret.is_empty()) {
        ensure!(
            secret.len() >= SHORTEST,
            "JWT_SECRET is too short: HS256 needs {SHORTEST} bytes or more"
        );
        return Ok(secret);
    }
    let directory = instance::directory();
    dev_services::create_directory(&directory)?;
    secret::load_or_create(&directory.join("jwt-secret"))
}
