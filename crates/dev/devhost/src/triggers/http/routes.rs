//! Finds the component for a path, by Spin's rules.
//!
//! A route is a path with `:name` segments, and may end in `/...`, a wildcard
//! for the rest of the path. Exact segments take precedence over names, names
//! over the wildcard.

use std::{borrow::Cow, sync::Arc};

use anyhow::{Result, anyhow};
use http::HeaderValue;

/// The prefix of the paths that the host itself answers.
pub const WELL_KNOWN: &str = "/.well-known/spin/";

/// All public routes.
pub struct Routes<H> {
    router: routefinder::Router<Arc<Route<H>>>,
}

/// A route of the manifest.
pub struct Route<H> {
    /// Serves the route's requests.
    pub handler: H,
    /// The route as it is written in the manifest.
    pub raw: String,
    /// The same, with a leading slash and without a trailing one.
    pub absolute: String,
    /// The headers that are the same for every request.
    pub headers: Vec<(&'static str, HeaderValue)>,
}

/// A path, and the route that matches it.
pub struct Match<'r, 'p, H> {
    /// The route with the highest precedence.
    pub route: &'r Arc<Route<H>>,
    captures: routefinder::Captures<'r, 'p>,
    path: &'p str,
}

impl<H> Routes<H> {
    /// Of two triggers with the same route the later one is used, as in Spin.
    pub fn new(routes: impl IntoIterator<Item = (String, H)>) -> Result<Self> {
        let mut router = routefinder::Router::new();
        for (raw, handler) in without_duplicates(routes) {
            let route = Route::new(raw, handler)?;
            let pattern = route.pattern();
            router
                .add(pattern.as_str(), Arc::new(route))
                .map_err(|error| anyhow!("route `{pattern}`: {error}"))?;
        }
        Ok(Self { router })
    }

    /// The route with the highest precedence that matches `path`.
    pub fn find<'r, 'p>(&'r self, path: &'p str) -> Option<Match<'r, 'p, H>> {
        let found = self.router.best_match(path)?;
        Some(Match {
            route: found.handler(),
            captures: found.captures(),
            path,
        })
    }

    /// All routes.
    pub fn iter(&self) -> impl Iterator<Item = &Route<H>> {
        self.router.iter().map(|(_, route)| &**route)
    }
}

fn without_duplicates<H>(routes: impl IntoIterator<Item = (String, H)>) -> Vec<(String, H)> {
    let mut distinct: Vec<(String, H)> = Vec::new();
    for (raw, handler) in routes {
        match distinct.iter().position(|(other, _)| *other == raw) {
            Some(index) => {
                tracing::error!("Duplicate route {raw}: the first one will never be used");
                distinct[index].1 = handler;
            }
            None => distinct.push((raw, handler)),
        }
    }
    distinct
}

impl<H> Route<H> {
    fn new(raw: String, handler: H) -> Result<Self> {
        let absolute = absolute(&raw);
        if absolute.starts_with(WELL_KNOWN) {
            tracing::error!("The route {raw} is under {WELL_KNOWN} and will never be used");
        }
        let prefix = raw.strip_suffix("/...").unwrap_or(&raw);
        let headers = vec![
            ("spin-matched-route", absolute.parse()?),
            ("spin-base-path", HeaderValue::from_static("/")),
            ("spin-raw-component-route", raw.parse()?),
            ("spin-component-route", prefix.parse()?),
        ];
        Ok(Self {
            handler,
            raw,
            absolute,
            headers,
        })
    }

    /// The route in the router's notation.
    fn pattern(&self) -> String {
        match self.absolute.strip_suffix("/...") {
            Some(prefix) => format!("{prefix}/*"),
            None => self.absolute.clone(),
        }
    }
}

/// `raw` with a leading slash and without a trailing one.
fn absolute(raw: &str) -> String {
    let slash = if raw.starts_with('/') { "" } else { "/" };
    let absolute = format!("{slash}{raw}");
    absolute.strip_suffix('/').unwrap_or(&absolute).to_owned()
}

impl<H> Match<'_, '_, H> {
    /// Names and values of the route's `:name` segments, still percent-encoded.
    pub fn captures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.captures.iter()
    }

    /// The part of the path that `/...` matches, with its leading slash.
    pub fn rest(&self) -> Cow<'_, str> {
        let Some(rest) = self.captures.wildcard() else {
            return Cow::Borrowed("");
        };
        match (rest.is_empty(), self.path.ends_with('/')) {
            (true, false) => Cow::Borrowed(rest),
            (true, true) => Cow::Borrowed("/"),
            (false, false) => format!("/{rest}").into(),
            (false, true) => format!("/{rest}/").into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: [&str; 6] = [
        "/",
        "/items",
        "/items/:id",
        "/items/newest",
        "/items/:id/parts/:part_no",
        "/files/...",
    ];

    fn routes() -> Routes<&'static str> {
        Routes::new(ROUTES.map(|route| (route.to_owned(), route))).unwrap()
    }

    #[test]
    fn exact_segments_take_precedence() {
        let routes = routes();
        for (path, expected) in [
            ("/", "/"),
            ("/items", "/items"),
            ("/items/", "/items"),
            ("/items/7", "/items/:id"),
            ("/items/newest", "/items/newest"),
            ("/items/7/parts/8", "/items/:id/parts/:part_no"),
            ("/files", "/files/..."),
            ("/files/a/b", "/files/..."),
        ] {
            assert_eq!(routes.find(path).unwrap().route.handler, expected, "{path}");
        }
        for path in ["/item", "/items/7/parts", "/filesystem"] {
            assert!(routes.find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn named_segments_are_captured() {
        let routes = routes();
        let found = routes.find("/items/7/parts/a%20b").unwrap();
        assert_eq!(
            found.captures().collect::<Vec<_>>(),
            [("id", "7"), ("part_no", "a%20b")]
        );
        assert_eq!(found.rest(), "");
    }

    #[test]
    fn the_rest_keeps_its_slashes() {
        let routes = routes();
        for (path, rest) in [
            ("/files", ""),
            ("/files/", "/"),
            ("/files/a", "/a"),
            ("/files/a/b/", "/a/b/"),
        ] {
            assert_eq!(routes.find(path).unwrap().rest(), rest, "{path}");
        }
    }

    #[test]
    fn of_two_equal_routes_the_later_one_is_used() {
        let twice = [("/a".to_owned(), 1), ("/a".to_owned(), 2)];
        assert_eq!(
            Routes::new(twice)
                .unwrap()
                .find("/a")
                .unwrap()
                .route
                .handler,
            2
        );
    }
}
