//! `[variables]`.

use serde::Deserialize;

/// An application variable.
#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "Declaration")]
pub struct Variable {
    /// The value where none is given; without one, a value must be given.
    pub default: Option<String>,
    /// Whether the value must never be shown.
    pub secret: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declaration {
    #[serde(default, rename = "description")]
    _description: Option<String>,
    default: Option<String>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    secret: bool,
}

impl TryFrom<Declaration> for Variable {
    type Error = &'static str;

    fn try_from(declaration: Declaration) -> Result<Self, Self::Error> {
        if declaration.required == declaration.default.is_some() {
            return Err("a variable has either `required` or `default`");
        }
        Ok(Self {
            default: declaration.default,
            secret: declaration.secret,
        })
    }
}
