//! `Shop`, and the installation of the app that asks.

use super::metafield::metafields_of;
use crate::shop::gid;
use crate::shopify::answer::{Arguments, Node, Record, Request, Resolved, leaf, list, object, unmodelled};
use crate::shopify::config::Plan;
use crate::shopify::contract::API_VERSION;
use crate::shopify::orders::orders_where;
use crate::shopify::page::date;
use std::sync::Arc;

pub(in crate::shopify) struct ShopNode;

impl Node for ShopNode {
    fn type_name(&self) -> &'static str {
        "Shop"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        let shop = &request.shop;
        let (config, profile) = (&shop.config, &shop.config.profile);
        let zone = || shop.now().to_zoned(profile.time_zone.clone());
        let url = format!("https://{}", profile.domain);
        match name {
            "id" => leaf(gid("Shop", profile.id)),
            "name" => leaf(config.name.clone()),
            "myshopifyDomain" => leaf(profile.domain.clone()),
            "url" | "storefrontUrl" => leaf(url),
            "primaryDomain" => object(
                Record::new("Domain")
                    .leaf("id", gid("Domain", profile.id))
                    .leaf("host", profile.domain.clone())
                    .leaf("sslEnabled", true)
                    .leaf("url", url),
            ),
            "currencyCode" => leaf(config.currency.code()),
            "enabledPresentmentCurrencies" => leaf(vec![config.currency.code()]),
            "ianaTimezone" => leaf(profile.time_zone.iana_name().unwrap_or("UTC")),
            "timezoneAbbreviation" => leaf(zone().strftime("%Z").to_string()),
            "timezoneOffset" => leaf(zone().strftime("%z").to_string()),
            "timezoneOffsetMinutes" => leaf(zone().offset().seconds() / 60),
            "createdAt" | "updatedAt" => date(shop.created_at),
            "orderNumberFormatPrefix" => leaf("#"),
            "orderNumberFormatSuffix" => leaf(""),
            "weightUnit" => leaf("GRAMS"),
            "unitSystem" => leaf("METRIC_SYSTEM"),
            "setupRequired" => leaf(false),
            "plan" => object(
                Record::new("ShopPlan")
                    .leaf("displayName", config.plan.display_name())
                    .leaf("publicDisplayName", config.plan.display_name())
                    .leaf("partnerDevelopment", false)
                    .leaf("shopifyPlus", matches!(config.plan, Plan::Plus | Plan::Enterprise)),
            ),
            "orders" => orders_where(args, request, |_| true),
            "metafield" | "metafields" => metafields_of(&gid("Shop", profile.id), name, args, request),
            other => Err(unmodelled("Shop", other)),
        }
    }
}

pub(in crate::shopify) struct InstallationNode;

const APP_ID: u64 = 347_082_227_713;

impl Node for InstallationNode {
    fn type_name(&self) -> &'static str {
        "AppInstallation"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        let id = gid("AppInstallation", APP_ID + 1);
        match name {
            "accessScopes" => list(request.access.scopes().map(|handle| {
                Record::new("AccessScope")
                    .leaf("handle", handle)
                    .leaf("description", handle.replace('_', " "))
            })),
            "app" => object(
                Record::new("App")
                    .leaf("id", gid("App", APP_ID))
                    .leaf("title", "Integration")
                    .leaf("handle", "integration")
                    .leaf("embedded", false)
                    .leaf("webhookApiVersion", API_VERSION),
            ),
            "metafield" | "metafields" => metafields_of(&id, name, args, request),
            "id" => leaf(id),
            other => Err(unmodelled("AppInstallation", other)),
        }
    }
}
