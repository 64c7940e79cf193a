//! The document has every route, its security, and every error, and nothing else.

use std::collections::BTreeSet;

use messaging::Error;
use messaging::api::Access;
use messaging::auth::Cookies;
use platform::error::{Credentials, FieldError, Store};
use platform::http::{Response, respond};
use reqwest::header::{self, HeaderName};
use serde_json::{Value, json};
use tests::routes;

use super::document::{TEXT, document, faults, operations, resolve, template};

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

#[test]
fn every_route_is_an_operation_and_there_is_no_other() {
    let routes: BTreeSet<(String, String)> = routes::all()
        .map(|route| (template(route.path), route.method.as_str().to_lowercase()))
        .collect();
    let mut described = BTreeSet::new();
    for (path, item) in document()["paths"].as_object().expect("paths") {
        let members = item.as_object().expect("a path").keys();
        let methods = members.filter(|member| METHODS.contains(&member.as_str()));
        described.extend(methods.map(|method| (path.clone(), method.clone())));
    }
    assert_eq!(described, routes);
}

#[test]
fn an_operation_says_who_may_call_it() {
    for operation in operations() {
        let route = operation.route;
        let mut security = match route.access {
            Access::Public => vec![],
            Access::Service => vec![json!({ "bearer": ["messaging:service"] })],
            Access::Records => vec![json!({ "bearer": ["messaging:records"] })],
            Access::Metrics => vec![json!({ "bearer": ["messaging:metrics"] })],
            Access::Proxy => vec![json!({ "gateway": [] })],
            _ => vec![json!({ "bearer": [] })],
        };
        if route.cookies == Cookies::Accepted
            && let Some(scopes) = security.first().and_then(|first| first.get("bearer"))
        {
            security.push(json!({ "session": scopes }));
        }
        if route.takes_ticket {
            security.push(json!({ "ticket": [] }));
        }
        assert_eq!(operation.get("security"), &json!(security), "{operation}");
        let access = route.access.to_string();
        assert_eq!(operation.get("x-access"), &json!(access), "{operation}");
    }
}

#[test]
fn an_operation_describes_the_errors_that_its_route_has() {
    for operation in operations() {
        let mut expected = match operation.route.access {
            Access::Public => vec![],
            Access::Proxy => vec![403, 404, 500, 503],
            Access::Participant
            | Access::ParticipantOneself
            | Access::ParticipantOrRecords
            | Access::Sender => vec![400, 401, 403, 404, 429, 500, 503],
            _ => vec![400, 401, 403, 429, 500, 503],
        };
        if operation.body_schema().is_some() {
            expected.extend([400, 401, 408, 413, 415, 429]);
        }
        for status in expected {
            assert!(operation.describes(status), "{operation} lacks {status}");
        }
    }
}

#[test]
fn the_parameters_of_a_path_are_those_of_its_route() {
    for operation in operations() {
        let segments = operation.route.path.split('/');
        let expected: BTreeSet<&str> = segments
            .filter_map(|segment| segment.strip_prefix(':'))
            .collect();
        let parameters = operation.parameters();
        let described: BTreeSet<&str> = parameters
            .filter(|parameter| parameter["in"] == "path")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        assert_eq!(described, expected, "{operation}");
    }
}

/// An error of each kind. A new kind of error does not compile until it is here.
fn errors() -> Vec<Error> {
    let fields = || {
        vec![FieldError {
            field: "id".into(),
            message: "is wrong".into(),
        }]
    };
    let known = |error: &Error| match error {
        Error::Malformed(_)
        | Error::Unauthorized(_)
        | Error::Forbidden(_)
        | Error::InsufficientScope(_)
        | Error::NotFound(_)
        | Error::MethodNotAllowed(_)
        | Error::BodyTimeout
        | Error::Conflict(_)
        | Error::TooLarge(_)
        | Error::UnsupportedMediaType(_)
        | Error::UpgradeRequired
        | Error::Invalid(_)
        | Error::TooManyRequests(_)
        | Error::TooManyStreams(_)
        | Error::DeadlineExceeded
        | Error::Unavailable(..)
        | Error::NotSetUp(_)
        | Error::BadGateway(_)
        | Error::GatewayTimeout
        | Error::Internal(_) => true,
    };
    let errors = vec![
        Error::Malformed(fields()),
        Error::Unauthorized(Credentials::Missing),
        Error::Unauthorized(Credentials::Invalid),
        Error::Forbidden("no"),
        Error::InsufficientScope("messaging:service"),
        Error::NotFound("no"),
        Error::MethodNotAllowed("GET".into()),
        Error::BodyTimeout,
        Error::Conflict("no"),
        Error::TooLarge(1),
        Error::UnsupportedMediaType("no"),
        Error::UpgradeRequired,
        Error::Invalid(fields()),
        Error::TooManyRequests(1),
        Error::TooManyStreams(1),
        Error::DeadlineExceeded,
        Error::Unavailable(Store::Postgres, String::new()),
        Error::NotSetUp("no"),
        Error::BadGateway(String::new()),
        Error::GatewayTimeout,
        Error::Internal(String::new()),
    ];
    assert!(errors.iter().all(known));
    errors
}

/// The responses with this status that are described as problems.
fn described(status: u16) -> Vec<&'static Value> {
    if status == 405 {
        return vec![&document()["components"]["responses"]["MethodNotAllowed"]];
    }
    let responses = operations()
        .filter(|operation| operation.describes(status))
        .map(|operation| operation.response(status));
    let problem = |response: &&Value| {
        response["content"]
            .get("application/problem+json")
            .is_some()
    };
    responses.filter(problem).collect()
}

#[test]
fn every_error_is_described_with_its_headers() {
    const HEADERS: [HeaderName; 3] = [header::RETRY_AFTER, header::WWW_AUTHENTICATE, header::ALLOW];
    for error in errors() {
        let text = error.to_string();
        let response: Response = respond(Err(error));
        let described = described(response.status().as_u16());
        assert!(!described.is_empty(), "{text}");
        for name in HEADERS {
            let Some(_) = response.get(&name) else {
                continue;
            };
            for response in &described {
                let headers = response["headers"].as_object().expect("headers");
                let has = headers
                    .keys()
                    .any(|key| key.eq_ignore_ascii_case(name.as_str()));
                assert!(has, "{text}: {name}");
            }
        }
    }
}

#[test]
fn every_component_is_used() {
    for kind in ["schemas", "parameters", "headers", "responses"] {
        let components = document()["components"][kind].as_object();
        for name in components.expect("components").keys() {
            let reference = format!("\"#/components/{kind}/{name}\"");
            let used = TEXT.contains(&reference) || name == "MethodNotAllowed";
            assert!(used, "{reference}");
        }
    }
}

fn references(value: &'static Value, found: &mut Vec<&'static Value>) {
    match value {
        Value::Object(members) => {
            if members.contains_key("$ref") {
                found.push(value);
            }
            members
                .values()
                .for_each(|member| references(member, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_to_something() {
    let mut found = vec![];
    references(document(), &mut found);
    assert!(found.len() > 100);
    for reference in found {
        assert!(resolve(reference).get("$ref").is_none());
    }
}

#[test]
fn examples_are_what_their_schemas_ask_for() {
    let schemas = document()["components"]["schemas"].as_object();
    let mut count = 0;
    for (name, schema) in schemas.expect("schemas") {
        for example in schema["examples"].as_array().into_iter().flatten() {
            assert_eq!(faults(schema, example), [""; 0], "{name}");
            count += 1;
        }
    }
    assert!(count > 0);
}

#[test]
fn operations_have_distinct_names_and_known_tags() {
    let names: BTreeSet<_> = operations()
        .filter_map(|operation| operation.get("operationId").as_str())
        .collect();
    assert_eq!(names.len(), operations().count());
    let tags = document()["tags"].as_array().expect("tags").iter();
    let tags: Vec<&Value> = tags.map(|tag| &tag["name"]).collect();
    for operation in operations() {
        assert!(tags.contains(&&operation.get("tags")[0]), "{operation}");
    }
}

#[test]
fn the_version_is_that_of_the_service() {
    assert_eq!(document()["info"]["version"], env!("CARGO_PKG_VERSION"));
}
