//! Every route of every component.

use messaging::api::Route;

/// Every component that answers HTTP, with its routes.
pub const COMPONENTS: [(&str, &[Route]); 16] = [
    ("messages", messages::ROUTES),
    ("conversations", conversations::ROUTES),
    ("presence", presence::ROUTES),
    ("typing", typing::ROUTES),
    ("receipts", receipts::ROUTES),
    ("system-messages", system_messages::ROUTES),
    ("events", events::ROUTES),
    ("gateway", gateway::ROUTES),
    ("search", search::ROUTES),
    ("sessions", sessions::ROUTES),
    ("records", records::ROUTES),
    ("assistant", assistant::ROUTES),
    ("analytics", analytics::ROUTES),
    ("webhooks", webhooks::ROUTES),
    ("health", health::ROUTES),
    ("web", web::ROUTES),
];

/// Every route.
pub fn all() -> impl Iterator<Item = &'static Route> {
    COMPONENTS.iter().flat_map(|(_, routes)| *routes)
}

/// Every route of the API.
pub fn api() -> impl Iterator<Item = &'static Route> {
    all().filter(|route| route.path.starts_with("/api/"))
}
