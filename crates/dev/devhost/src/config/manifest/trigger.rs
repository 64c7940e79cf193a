//! `[[trigger.http]]` and `[[trigger.redis]]`.

use serde::{Deserialize, Deserializer, de::Error as _};

/// The app's triggers.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    /// HTTP routes.
    #[serde(default)]
    pub http: Vec<HttpTrigger>,
    /// Redis channels.
    #[serde(default)]
    pub redis: Vec<RedisTrigger>,
}

impl Triggers {
    /// The ids of the components that the triggers name.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        let http = self.http.iter().map(|trigger| &trigger.component);
        let redis = self.redis.iter().map(|trigger| &trigger.component);
        http.chain(redis).map(String::as_str)
    }
}

/// A route and the component that serves it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTrigger {
    /// The trigger's id, which devhost does not use.
    #[serde(default)]
    pub id: Option<String>,
    /// The path pattern, with `:name` segments and an optional trailing `/...`;
    /// absent if no request from outside reaches the component.
    #[serde(deserialize_with = "route")]
    pub route: Option<String>,
    /// The component's id.
    pub component: String,
}

/// A channel and the component that handles its messages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisTrigger {
    /// The trigger's id, which devhost does not use.
    #[serde(default)]
    pub id: Option<String>,
    /// Overrides the app's Redis address; a template.
    pub address: Option<String>,
    /// The exact name of the channel; a template.
    pub channel: String,
    /// The component's id.
    pub component: String,
}

const ROUTE: &str = "a route is a path or `{ private = true }`";

#[derive(Deserialize)]
#[serde(untagged, expecting = "a route is a path or `{ private = true }`")]
enum Route {
    Path(String),
    Private(Private),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Private {
    private: bool,
}

fn route<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Route::deserialize(deserializer)? {
        Route::Path(path) => Ok(Some(path)),
        Route::Private(Private { private: true }) => Ok(None),
        Route::Private(Private { private: false }) => Err(D::Error::custom(ROUTE)),
    }
}
