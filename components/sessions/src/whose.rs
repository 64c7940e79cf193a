//! Whose sessions a request is about.

use messaging::Result;
use messaging::api::RequestContext;
use messaging::ids::UserId;
use messaging::sessions::Subject;

/// The user in the query, who must be the caller unless that is a service; without one, the caller.
pub fn of(context: &RequestContext) -> Result<Subject> {
    let named: Option<UserId> = context.query("userId")?;
    let authentication = context.authentication();
    match named {
        Some(user) => {
            let caller = authentication.identity.caller(named);
            caller.must_be(user).map(|()| Subject::User(user))
        }
        None => Ok(authentication.subject(None)),
    }
}
