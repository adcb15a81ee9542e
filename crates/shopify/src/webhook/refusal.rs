//! Why a webhook is refused. Nothing of it is stored: each refusal is counted by its name. The texts are for our own
//! logs; the sender gets a status and no reason.

/// What is wrong with the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("TG-6001: the webhook has no signature: whoever sent it is not Shopify")]
    MissingSignature,
    #[error("TG-6002: the webhook's signature is not 32 bytes in base64: it was cut off or made up")]
    MalformedSignature,
    #[error(
        "TG-6003: the webhook's signature was made by no configured app's client secret, or the body was changed on \
         its way; compare client_secret with the app's settings at Shopify"
    )]
    WrongSignature,
    #[error(
        "TG-6004: {domain} is signed by app {signed_by}, and the configuration says that its app is {configured}: \
         mend [shops] or remove the other app's subscriptions"
    )]
    OtherApp { domain: String, signed_by: String, configured: String },
    #[error("TG-6005: {domain} is no configured shop, and app {app} is installed there: add it to [shops]")]
    UnknownShop { domain: String, app: String, topic: String },
    #[error("TG-6006: the webhook has no header {header}")]
    MissingHeader { header: &'static str },
    #[error("TG-6007: the webhook's header {header} comes twice, is too long or is not text")]
    UnreadableHeader { header: &'static str },
    #[error(
        "TG-6008: the webhook's body is of API version {version:?}, which is not read here; choose {} or a later \
         release for the app's webhooks",
        crate::version::OLDEST
    )]
    UnsupportedVersion { version: String },
}

impl Refusal {
    /// For a counter's label.
    pub fn name(&self) -> &'static str {
        match self {
            Self::MissingSignature => "missing_signature",
            Self::MalformedSignature => "malformed_signature",
            Self::WrongSignature => "wrong_signature",
            Self::OtherApp { .. } => "other_app",
            Self::UnknownShop { .. } => "unknown_shop",
            Self::MissingHeader { .. } => "missing_header",
            Self::UnreadableHeader { .. } => "unreadable_header",
            Self::UnsupportedVersion { .. } => "unsupported_version",
        }
    }

    /// The status of the answer. Whoever did not prove to be Shopify gets 401 and learns nothing more.
    pub fn status(&self) -> u16 {
        match self {
            Self::MissingSignature | Self::MalformedSignature | Self::WrongSignature => 401,
            Self::UnreadableHeader { header } if *header == super::header::SIGNATURE => 401,
            Self::OtherApp { .. } | Self::UnknownShop { .. } => 404,
            Self::MissingHeader { .. } | Self::UnreadableHeader { .. } | Self::UnsupportedVersion { .. } => {
                400
            }
        }
    }
}
