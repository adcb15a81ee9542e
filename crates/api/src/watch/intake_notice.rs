//! What happens at the doors that a person should hear of. Ids and paths only, never a value of a body.

use kernel::id::{FlowName, ShopId, SystemName};
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum IntakeNotice {
    /// TG-7007: signed, kept sealed, and a dead letter.
    UnreadableBody {
        shop: ShopId,
        topic: String,
        webhook_id: String,
        code: String,
        path: String,
        subject: String,
    },
    /// TG-7008: the body names another shop than the header.
    WrongShop { shop: ShopId, other: String, topic: String, webhook_id: String, subject: String },
    /// TG-7009: the first body stands.
    SameIdOtherBody { shop: ShopId, topic: String, webhook_id: String },
    /// TG-7010: nothing comes from this shop any more.
    AppUninstalled { shop: ShopId, app: String },
    /// TG-7011: `tidegate doctor` compares them with what the flows need.
    ScopesChanged { shop: ShopId, app: String },
    /// TG-7012: a privacy request that nobody could read is a duty with a legal deadline.
    PrivacyUnreadable { shop: ShopId, topic: String, webhook_id: String, path: String, subject: String },
    /// TG-7013: bodies come in another API version than the configured one.
    OtherApiVersion { shop: ShopId, version: String, configured: String },
    /// TG-7014: the merchant wants to know what is held of a customer.
    DataRequest { shop: ShopId, customer: String, subjects: u64 },
    /// TG-7015: keys were destroyed.
    Redacted { shop: ShopId, certificate: String, keys_destroyed: u64, duties_ended: u64 },
    /// TG-7017: a system pushed two facts under one version or id (`under`); the first one stands.
    SameVersionOtherBody { system: SystemName, subject: String, under: String },
    /// TG-7018: the files of `[hub.tls]` changed and cannot be served; the former pair stays.
    CertificateRefused { file: String, why: String },
    /// TG-7030: what a source says that it has is not taken for the whole; a person has to look.
    SnapshotRefused { flow: FlowName, shop: ShopId, why: String },
    /// TG-7032: what the price lists say is not in the shop's catalogs; it is tried again.
    HydrationFailed { shop: ShopId, why: String },
    /// TG-7034: a person has to say what becomes of them.
    WrittenByHand { flow: FlowName, shop: ShopId, count: u64 },
    /// TG-3405: a file that was dropped; nothing of it is applied.
    FileRefused { flow: FlowName, shop: ShopId, why: String },
    /// TG-7217: nothing of what a source of prices told counts, and asking again does not mend it.
    PricesRefused { source: String, why: String },
    /// TG-7218: a guard holds what a source of prices told; it is not asked on before a person has said something.
    PricesHeld { source: String, load: u64, because: String },
}

impl IntakeNotice {
    pub fn name(&self) -> &'static str {
        match self {
            Self::UnreadableBody { .. } => "unreadable_body",
            Self::WrongShop { .. } => "wrong_shop",
            Self::SameIdOtherBody { .. } => "same_id_other_body",
            Self::AppUninstalled { .. } => "app_uninstalled",
            Self::ScopesChanged { .. } => "scopes_changed",
            Self::PrivacyUnreadable { .. } => "privacy_unreadable",
            Self::OtherApiVersion { .. } => "other_api_version",
            Self::DataRequest { .. } => "data_request",
            Self::Redacted { .. } => "redacted",
            Self::SameVersionOtherBody { .. } => "same_version_other_body",
            Self::CertificateRefused { .. } => "certificate_refused",
            Self::SnapshotRefused { .. } => "snapshot_refused",
            Self::HydrationFailed { .. } => "hydration_failed",
            Self::WrittenByHand { .. } => "written_by_hand",
            Self::FileRefused { .. } => "file_refused",
            Self::PricesRefused { .. } => "prices_refused",
            Self::PricesHeld { .. } => "prices_held",
        }
    }

    /// One sentence: what happened, where, what to do.
    pub fn summary(&self) -> String {
        match self {
            Self::UnreadableBody { shop, topic, code, path, subject, .. } => format!(
                "TG-7007: a body of {topic} from {shop} cannot be read ({code} at {path}); it is kept as it came under \
                 {subject}, and a newer state or a backfill of the order replaces it"
            ),
            Self::WrongShop { shop, other, topic, subject, .. } => format!(
                "TG-7008: a body of {topic} under the header of {shop} names {other}; it is kept aside under {subject} \
                 and goes nowhere: find who sends it"
            ),
            Self::SameIdOtherBody { shop, topic, webhook_id } => format!(
                "TG-7009: webhook {webhook_id} ({topic}) of {shop} came again with another body; the first one stands"
            ),
            Self::AppUninstalled { shop, app } => format!(
                "TG-7010: the app {app} was uninstalled from {shop}: nothing comes from there and nothing can be read or \
                 written; install it again or take the shop out of the configuration"
            ),
            Self::ScopesChanged { shop, app } => format!(
                "TG-7011: the scopes of app {app} changed at {shop}: run `tidegate doctor` to see what is missing"
            ),
            Self::PrivacyUnreadable { shop, topic, path, subject, .. } => format!(
                "TG-7012: the privacy request {topic} of {shop} cannot be read at {path} and was NOT carried out; it is \
                 kept under {subject}: read it at Shopify and carry it out by hand"
            ),
            Self::OtherApiVersion { shop, version, configured } => format!(
                "TG-7013: webhooks of {shop} come in API version {version}, configured is {configured}: run \
                 `tidegate shopify subscriptions apply`"
            ),
            Self::DataRequest { shop, customer, subjects } => format!(
                "TG-7014: {shop} asks what is held of customer {customer}: {subjects} subjects; \
                 GET /admin/v1/held lists them, and the answer is due within 30 days"
            ),
            Self::Redacted { shop, certificate, keys_destroyed, duties_ended } => format!(
                "TG-7015: {keys_destroyed} data keys of {shop} were destroyed and {duties_ended} open duties ended \
                 (certificate {certificate})"
            ),
            Self::SameVersionOtherBody { system, subject, under } => format!(
                "TG-7017: {system} pushed {subject} again under {under} with another body; the first \
                 one stands: a state that changed needs a version of its own"
            ),
            Self::CertificateRefused { file, why } => format!(
                "TG-7018: the new certificate in {file} is not served: {why}; the former one is, until it ends: put a \
                 certificate and its own key there, no restart is needed"
            ),
            Self::SnapshotRefused { flow, shop, why } => {
                format!("TG-7030: the full check of {flow} at {shop} stopped and changed nothing: {why}")
            }
            Self::HydrationFailed { shop, why } => {
                format!(
                    "TG-7032: prices were not brought into the catalogs of {shop}, it is tried again: {why}"
                )
            }
            Self::WrittenByHand { flow, shop, count } => format!(
                "TG-7034: {count} quantities in {shop} were typed there, where another system owns stock ({flow}): they stand until \
                 somebody decides, at /stock or by `tidegate ats by-hand`"
            ),
            Self::FileRefused { flow, shop, why } => {
                format!("TG-3405: nothing of a file for {flow} at {shop} is applied: {why}")
            }
            Self::PricesRefused { source, why } => {
                format!("TG-7217: prices that {source} told are not taken: {why}")
            }
            Self::PricesHeld { source, load, because } => format!(
                "TG-7218: load {load} of {source} is held and changes nothing until somebody says so, because {because}: \
                 tidegate prices held"
            ),
        }
    }
}
