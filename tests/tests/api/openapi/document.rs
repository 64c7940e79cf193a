//! The document.

use std::sync::OnceLock;

use messaging::api::{Access, Route};
use serde_json::{Map, Value, json};
use tests::routes;

/// The document as it is served.
pub const TEXT: &str = include_str!("../../../../docs/openapi.json");

/// The document, parsed.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::from_str(TEXT).expect("JSON"))
}

/// A method of a path, as the document describes it, and its route.
#[derive(Clone, Copy)]
pub struct Operation {
    /// What the component's table says of it.
    pub route: &'static Route,
    description: &'static Value,
}

/// All operations, one for each route.
pub fn operations() -> impl Iterator<Item = Operation> {
    routes::all().map(|route| {
        let method = route.method.as_str().to_lowercase();
        let description = &document()["paths"][template(route.path)][method];
        assert!(description.is_object(), "{} {}", route.method, route.path);
        Operation { route, description }
    })
}

/// The operations for clients that describe a response with this status. What the gateway's proxy gets
/// is tested with one (`gateway`).
pub fn operations_with(status: u16) -> impl Iterator<Item = Operation> {
    operations().filter(move |operation| {
        operation.route.access != Access::Proxy && operation.describes(status)
    })
}

/// A route's path as OpenAPI writes it.
pub fn template(path: &str) -> String {
    let segments = path
        .split('/')
        .map(|segment| match segment.strip_prefix(':') {
            Some(name) => format!("{{{name}}}"),
            None => segment.to_owned(),
        });
    segments.collect::<Vec<_>>().join("/")
}

/// What a reference stands for; what is none stands for itself.
pub fn resolve(value: &'static Value) -> &'static Value {
    let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
        return value;
    };
    let pointer = reference.strip_prefix('#').expect("a local reference");
    document()
        .pointer(pointer)
        .unwrap_or_else(|| panic!("{reference} is nothing"))
}

impl Operation {
    /// A member of the description.
    pub fn get(&self, name: &str) -> &'static Value {
        &self.description[name]
    }

    /// Whether it describes a response with this status.
    pub fn describes(&self, status: u16) -> bool {
        self.get("responses").get(status.to_string()).is_some()
    }

    /// The statuses that it describes.
    pub fn statuses(&self) -> impl Iterator<Item = u16> {
        let responses = self.get("responses").as_object().expect("responses");
        let number = |status: &String| status.parse().expect("a status");
        responses.keys().map(number)
    }

    /// The response with this status.
    pub fn response(&self, status: u16) -> &'static Value {
        let response = self.get("responses").get(status.to_string());
        resolve(response.unwrap_or_else(|| panic!("{self} does not describe {status}")))
    }

    /// Its parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &'static Value> {
        let parameters = self.get("parameters").as_array();
        parameters.into_iter().flatten().map(resolve)
    }

    /// The schema of its body, if it takes one.
    pub fn body_schema(&self) -> Option<&'static Value> {
        self.description
            .pointer("/requestBody/content/application~1json/schema")
            .map(resolve)
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.route.method, self.route.path)
    }
}

/// What is wrong with a value by a schema of the document. A member that the schema does not name is
/// wrong, though clients should expect new ones.
pub fn faults(schema: &Value, value: &Value) -> Vec<String> {
    static COMPONENTS: OnceLock<Value> = OnceLock::new();
    let components = COMPONENTS.get_or_init(|| closed(&document()["components"]));
    let schema = json!({ "allOf": [closed(schema)], "components": components });
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap_or_else(|error| panic!("not a schema: {error}"));
    let faults = validator.iter_errors(value);
    faults
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect()
}

/// The same schemas, whose objects have no other members than those they name.
fn closed(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Map<String, Value> = members
                .iter()
                .map(|(name, member)| (name.clone(), closed(member)))
                .collect();
            if members.get("type") == Some(&"object".into()) {
                members
                    .entry("additionalProperties")
                    .or_insert(false.into());
            }
            Value::Object(members)
        }
        Value::Array(values) => values.iter().map(closed).collect(),
        other => other.clone(),
    }
}
