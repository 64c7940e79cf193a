//! What a token may hold besides a user: scopes (RFC 8693, section 4.2).

use serde::{Deserialize, Serialize};

/// The scope of back ends.
pub const SERVICE_SCOPE: &str = "messaging:service";
/// The scope of those who keep the records: holds, retention, the audit trail, exports.
pub const RECORDS_SCOPE: &str = "messaging:records";
/// The scope of what collects metrics.
pub const METRICS_SCOPE: &str = "messaging:metrics";

/// The scopes of a caller besides that of a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scopes {
    /// [`RECORDS_SCOPE`].
    #[serde(default)]
    pub records: bool,
    /// [`METRICS_SCOPE`].
    #[serde(default)]
    pub metrics: bool,
}

impl Scopes {
    /// Those among the names of a token.
    pub(super) fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        names.fold(Self::default(), |scopes, name| Self {
            records: scopes.records || name == RECORDS_SCOPE,
            metrics: scopes.metrics || name == METRICS_SCOPE,
        })
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}
