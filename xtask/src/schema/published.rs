//! The shapes of the published introspection, as far as the extract reads them: the schema itself and, beside it, the
//! scopes that each type and field needs. It judges nothing.

use anyhow::{Context as _, Result};
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Published {
    pub(super) data: Data,
    /// Of the Admin schema only.
    #[serde(default)]
    pub(super) offline_scopes: OfflineScopes,
}
#[derive(Deserialize)]
pub(super) struct Data {
    #[serde(rename = "__schema")]
    pub(super) schema: Schema,
}
#[derive(Deserialize)]
pub(super) struct Schema {
    pub(super) types: Vec<Type>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Type {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) fields: Option<Vec<Field>>,
    pub(super) input_fields: Option<Vec<Input>>,
    pub(super) interfaces: Option<Vec<Reference>>,
    pub(super) enum_values: Option<Vec<EnumValue>>,
    pub(super) possible_types: Option<Vec<Reference>>,
    pub(super) is_one_of: Option<bool>,
    pub(super) required_access: Option<String>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) args: Vec<Input>,
    #[serde(rename = "type")]
    pub(super) of: Reference,
    pub(super) is_deprecated: bool,
    pub(super) deprecation_reason: Option<String>,
    pub(super) required_access: Option<String>,
    pub(super) is_protected: Option<bool>,
    pub(super) protected_content: Option<String>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) of: Reference,
    pub(super) default_value: Option<String>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnumValue {
    pub(super) name: String,
    pub(super) is_deprecated: bool,
    pub(super) deprecation_reason: Option<String>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reference {
    pub(super) kind: String,
    pub(super) name: Option<String>,
    pub(super) of_type: Option<Box<Reference>>,
}
#[derive(Deserialize, Default)]
pub(super) struct OfflineScopes {
    pub(super) items: Vec<ScopeItem>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScopeItem {
    pub(super) type_name: String,
    pub(super) field_name: Option<String>,
    pub(super) offline_scopes: Vec<String>,
}

impl Reference {
    pub(super) fn innermost(&self) -> &Reference {
        self.of_type.as_deref().map_or(self, Reference::innermost)
    }
    pub(super) fn name(&self) -> Result<&str> {
        self.innermost().name.as_deref().context("a type reference without a name")
    }
    pub(super) fn write(&self) -> Result<String> {
        Ok(match (self.kind.as_str(), self.of_type.as_deref()) {
            ("NON_NULL", Some(inner)) => format!("{}!", inner.write()?),
            ("LIST", Some(inner)) => format!("[{}]", inner.write()?),
            _ => self.name()?.to_owned(),
        })
    }
    pub(super) fn is_leaf(&self) -> bool {
        matches!(self.innermost().kind.as_str(), "SCALAR" | "ENUM")
    }
}
