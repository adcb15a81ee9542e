//! Names that refer to sections, and things that may be there once only.

use crate::judge::Judge;
use config::{Code, DOMAINS, Finding, Shop, nearest};
use kernel::id::ShopId;
use std::collections::BTreeMap;

pub(crate) fn judge(judge: &mut Judge<'_>) {
    shops(judge);
    flows(judge);
    owners(judge);
    master_key(judge);
}

fn shops(judge: &mut Judge<'_>) {
    let mut seen: BTreeMap<&str, (&str, &config::Origin)> = BTreeMap::new();
    for (name, shop) in &judge.config.shops {
        judge.refers("apps", &shop.app, &shop.app.origin, &format!("shops.{name}.app"));
        access(judge, name, shop);
        let domain = shop.domain.value.as_str();
        if let Some((first, at)) = seen.insert(domain, (name.as_str(), &shop.domain.origin)) {
            let message = format!("shops {first} and {name} are both {domain}");
            let help = "one shop has one section: take one of the two away";
            let finding = Finding::new(Code::Value, &shop.domain.origin, message, help);
            judge.push(finding.key(format!("shops.{name}.domain")).related("the other", at));
        }
    }
}

/// A shop is opened by a token of its own, or by the app's id and secret.
fn access(judge: &mut Judge<'_>, name: &ShopId, shop: &Shop) {
    let Some(app) = judge.config.apps.get(&shop.app.value) else { return };
    let section = format!("shops.{name}");
    if shop.access_token.is_some() || app.client_id.is_some() || judge.config.is_damaged(&section) {
        return;
    }
    let message =
        format!("nothing opens shop {name}: it has no access_token, and app {} no client_id", shop.app.value);
    let help = "give the shop its access_token, or the app its client_id: then tokens are asked for by id and secret";
    judge.finding(Code::MissingKey, &shop.at, format!("{section}.access_token"), message, help);
}

fn flows(judge: &mut Judge<'_>) {
    for (name, flow) in judge.flows() {
        judge.refers("systems", flow.source.as_str(), &flow.source.origin, &format!("flows.{name}.source"));
        judge.refers("systems", flow.target.as_str(), &flow.target.origin, &format!("flows.{name}.target"));
        for shop in flow.shops.iter().flat_map(|shops| shops.iter()) {
            judge.refers("shops", shop.as_str(), &shop.origin, &format!("flows.{name}.shops"));
        }
        if judge.config.shops.is_empty() && !judge.config.is_any_damaged("shops") {
            let help = "add a section [shops.NAME] with the shop's domain, app and token";
            judge.finding(
                Code::MissingKey,
                &flow.at,
                format!("flows.{name}"),
                format!("flow {name} serves no shop: none is configured"),
                help,
            );
        }
    }
}

fn owners(judge: &mut Judge<'_>) {
    for (domain, ownership) in &judge.config.ownership {
        let key = format!("ownership.{domain}");
        if !DOMAINS.contains(&domain.as_str()) {
            let list = DOMAINS.join(", ");
            let help = match nearest(domain.as_str(), DOMAINS.iter().copied()) {
                Some(near) => format!("did you mean {near}? The domains are {list}"),
                None => format!("the domains are {list}"),
            };
            judge.finding(
                Code::UnknownKey,
                &ownership.at,
                &key,
                format!("there is no domain {domain}"),
                help,
            );
        }
        let fields = ownership
            .fields
            .iter()
            .map(|(field, owned)| (format!("{key}.fields.{field:?}.owner"), &owned.owner));
        let all =
            std::iter::once((format!("{key}.system_of_record"), &ownership.system_of_record)).chain(fields);
        for (key, owners) in all {
            for owner in &owners.value.0 {
                judge.refers("systems", owner.as_str(), &owner.origin, &key);
            }
        }
    }
}

/// Whoever copies the data must not copy the key with it.
fn master_key(judge: &mut Judge<'_>) {
    let Some(hub) = judge.config.hub() else { return };
    let data_dir = plain(&hub.data_dir);
    let keys = [
        ("hub.master_key", Some(&hub.master_key)),
        ("hub.previous_master_key", hub.previous_master_key.as_ref()),
    ];
    for (key, reference) in keys.into_iter().filter_map(|(key, reference)| Some((key, reference?))) {
        let inside =
            reference.path(&judge.config.base_dir).is_some_and(|path| plain(&path).starts_with(&data_dir));
        if inside {
            let message = format!("the master key lies inside the data directory {}", hub.data_dir.display());
            let finding = Finding::new(
                Code::MasterKeyInside,
                &reference.origin,
                message,
                "move it elsewhere, as to \"file:../secrets/master.key\", so that a copy of the data is of no use alone",
            );
            judge.push(finding.key(key).related("the data directory", &hub.data_dir.origin));
        }
    }
}

/// A path without `.` and `..`, as far as that goes without asking the disk.
fn plain(path: &std::path::Path) -> std::path::PathBuf {
    use std::path::Component;
    let mut plain = std::path::PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}
