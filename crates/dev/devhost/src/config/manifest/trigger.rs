//! `[[trigger.http]]` and `[[trigger.redis]]`.

use serde::{Deserialize, Deserializer, de::Error as _};

use crate::config::identifier::ComponentId;

/// The app's triggers; `C` names a component.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triggers<C = ComponentId> {
    /// HTTP routes.
    #[serde(default = "Vec::new")]
    pub http: Vec<HttpTrigger<C>>,
    /// Redis channels.
    #[serde(default = "Vec::new")]
    pub redis: Vec<RedisTrigger<C>>,
}

/// A route and the component that serves it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTrigger<C = ComponentId> {
    /// The trigger's id, which nothing refers to.
    pub id: Option<String>,
    /// The path pattern, with `:name` segments and an optional trailing `/...`;
    /// absent if no request from outside reaches the component.
    #[serde(deserialize_with = "route")]
    pub route: Option<String>,
    /// The component.
    pub component: C,
    /// The interface that the component exports: there is one choice.
    pub executor: Option<Executor>,
}

/// `{ type = "http" }`
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Executor {
    /// `wasi:http`
    #[serde(alias = "spin")]
    Http,
}

/// A channel and the component that handles its messages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisTrigger<C = ComponentId> {
    /// The trigger's id, which nothing refers to.
    pub id: Option<String>,
    /// Overrides the app's Redis address; a template.
    pub address: Option<String>,
    /// The exact name of the channel; a template.
    pub channel: String,
    /// The component.
    pub component: C,
}

impl<C> Triggers<C> {
    /// The components that the triggers name.
    pub fn components(&self) -> impl Iterator<Item = &C> {
        let http = self.http.iter().map(|trigger| &trigger.component);
        let redis = self.redis.iter().map(|trigger| &trigger.component);
        http.chain(redis)
    }

    /// The ids of the triggers that have one.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let http = self.http.iter().filter_map(|trigger| trigger.id.as_deref());
        let redis = self
            .redis
            .iter()
            .filter_map(|trigger| trigger.id.as_deref());
        http.chain(redis)
    }

    /// Replaces each component by the result of `map`, which receives the type
    /// of the trigger, its id and the component.
    pub fn map_components<D>(self, mut map: impl FnMut(&str, Option<&str>, C) -> D) -> Triggers<D> {
        let http = self.http.into_iter().map(|trigger| HttpTrigger {
            component: map("http", trigger.id.as_deref(), trigger.component),
            id: trigger.id,
            route: trigger.route,
            executor: trigger.executor,
        });
        let http = http.collect();
        let redis = self.redis.into_iter().map(|trigger| RedisTrigger {
            component: map("redis", trigger.id.as_deref(), trigger.component),
            id: trigger.id,
            address: trigger.address,
            channel: trigger.channel,
        });
        let redis = redis.collect();
        Triggers { http, redis }
    }
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
