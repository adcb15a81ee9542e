//! `[escalation]`: who hears of what needs a person. Alert routing proper is not here.

use crate::key::Key;
use crate::net::BaseUrl;
use crate::reader::Section;
use crate::secret::SecretRef;
use crate::source::Setting;

pub(crate) const KEYS: &[Key] = &[
    Key::optional(
        "webhook",
        "URL",
        "Each escalation (severity `page` or `ticket`) is posted here as JSON, beside the log. Without it, the log alone has it.",
        "\"https://alerts.example.com/tidegate\"",
    ),
    Key::optional(
        "bearer_token",
        "secret",
        "Sent with it as `Authorization: Bearer …`.",
        "\"env:ALERTS_TOKEN\"",
    ),
];

/// `[escalation]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Escalation {
    pub webhook: Option<Setting<BaseUrl>>,
    pub bearer_token: Option<Setting<SecretRef>>,
}

pub(crate) fn read(mut section: Section<'_>) -> Escalation {
    Escalation { webhook: section.optional("webhook"), bearer_token: section.optional("bearer_token") }
}
