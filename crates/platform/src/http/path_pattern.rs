//! Paths of requests against the patterns of routes, as `spin.toml` writes them: `:name` stands
//! for one segment, and a last `...` for whatever comes.
//!
//! The host matches routes too and says what it found in headers. A client can send the same
//! headers, and on some paths the host adds none; so components look at the path itself.

/// The segments that stand for the names of a pattern.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathParameters(Vec<(&'static str, String)>);

impl PathParameters {
    /// The segment of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let named = self.0.iter().find(|(known, _)| *known == name);
        named.map(|(_, segment)| segment.as_str())
    }
}

/// Matches a path against a pattern.
#[must_use]
pub fn match_path(pattern: &'static str, path: &str) -> Option<PathParameters> {
    let mut parameters = Vec::new();
    let (mut wanted, mut segments) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), segments.next()) {
            (None, None) => return Some(PathParameters(parameters)),
            (Some("..."), Some(_)) => return Some(PathParameters(parameters)),
            (Some(name), Some(segment)) if name.starts_with(':') && !segment.is_empty() => {
                parameters.push((&name[1..], segment.to_owned()));
            }
            (Some(literal), Some(segment)) if literal == segment => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PATTERN: &str = "/api/conversations/:id/participants/:userId";

    #[test]
    fn names_stand_for_one_segment_each() {
        let found = match_path(PATTERN, "/api/conversations/7/participants/9").unwrap();
        assert_eq!(
            (found.get("id"), found.get("userId")),
            (Some("7"), Some("9"))
        );
        assert_eq!(found.get("other"), None);
        for path in [
            "/api/conversations/7/participants",
            "/api/conversations/7/participants/",
            "/api/conversations//participants/9",
            "/api/conversations/7/participants/9/",
            "/other/conversations/7/participants/9",
        ] {
            assert_eq!(match_path(PATTERN, path), None, "{path}");
        }
    }

    #[test]
    fn three_dots_stand_for_whatever_comes() {
        assert!(match_path("/...", "/").is_some());
        assert!(match_path("/...", "/a/b").is_some());
    }

    proptest! {
        #[test]
        fn a_segment_is_given_as_the_client_sent_it(id in "[^/]{1,9}", user in "[^/]{1,9}") {
            let path = format!("/api/conversations/{id}/participants/{user}");
            let found = match_path(PATTERN, &path).unwrap();
            prop_assert_eq!((found.get("id"), found.get("userId")), (Some(&*id), Some(&*user)));
        }
    }
}
