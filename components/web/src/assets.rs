//! The files that are served as they are, compiled in.

/// A file of the page, or the API's description.
#[derive(Debug)]
pub struct Asset {
    path: &'static str,
    pub content_type: &'static str,
    pub body: &'static [u8],
    /// Changes with every byte of the body.
    pub fingerprint: u64,
}

/// The file at a path.
pub fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const JSON: &str = "application/json";

/// A file of `assets/` under `/assets/`.
macro_rules! asset {
    ($content_type:expr, $name:literal) => {
        Asset::new(
            concat!("/assets/", $name),
            $content_type,
            include_bytes!(concat!("../assets/", $name)),
        )
    };
}

static ASSETS: &[Asset] = &[
    Asset::new("/", HTML, include_bytes!("../assets/index.html")),
    Asset::new(
        "/api/v1/openapi.json",
        JSON,
        include_bytes!("../../../docs/openapi.json"),
    ),
    asset!(CSS, "app.css"),
    asset!(SVG, "favicon.svg"),
    asset!(JS, "account.js"),
    asset!(JS, "api.js"),
    asset!(JS, "backoff.js"),
    asset!(JS, "composer.js"),
    asset!(JS, "device.js"),
    asset!(JS, "devices.js"),
    asset!(JS, "dialog.js"),
    asset!(JS, "dialogs.js"),
    asset!(JS, "dom.js"),
    asset!(JS, "drafts.js"),
    asset!(JS, "excerpt.js"),
    asset!(JS, "feed.js"),
    asset!(JS, "guard.js"),
    asset!(JS, "header.js"),
    asset!(JS, "http.js"),
    asset!(JS, "leftovers.js"),
    asset!(JS, "list-view.js"),
    asset!(JS, "main.js"),
    asset!(JS, "maps.js"),
    asset!(JS, "message-view.js"),
    asset!(JS, "messages.js"),
    asset!(JS, "outbox.js"),
    asset!(JS, "presence.js"),
    asset!(JS, "read-receipts.js"),
    asset!(JS, "search-state.js"),
    asset!(JS, "search-view.js"),
    asset!(JS, "search.js"),
    asset!(JS, "selectors.js"),
    asset!(JS, "session.js"),
    asset!(JS, "sessions.js"),
    asset!(JS, "sign-in.js"),
    asset!(JS, "socket.js"),
    asset!(JS, "source.js"),
    asset!(JS, "store.js"),
    asset!(JS, "sync.js"),
    asset!(JS, "thread-head.js"),
    asset!(JS, "thread-view.js"),
    asset!(JS, "thread-window.js"),
    asset!(JS, "time.js"),
    asset!(JS, "typing.js"),
];

impl Asset {
    const fn new(path: &'static str, content_type: &'static str, body: &'static [u8]) -> Self {
        Self {
            path,
            content_type,
            body,
            fingerprint: fnv1a(body),
        }
    }
}

/// FNV-1a, 64 bits: enough to distinguish the versions of a file.
const fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(0x0100_0000_01b3);
        index += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets");
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let path = format!("/assets/{name}");
            let path = if name == "index.html" { "/" } else { &path };
            assert!(find(path).is_some(), "{name}");
        }
    }

    #[test]
    fn the_fingerprint_is_that_of_the_published_vectors() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
