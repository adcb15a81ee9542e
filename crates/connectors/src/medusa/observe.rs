//! What Medusa has under an object key. Owns the look-up: no field of ours can be filtered on, so that the key stands in the
//! second line of the billing address, which Medusa's search reads, and in the metadata, which is compared exactly. Drafts and
//! orders are two lists; a draft that becomes an order moves from the first to the second, so they are read in that order.

use super::ask::{Ask, CODES_MAX, PAGE};
use super::compare;
use super::order::Order;
use super::sale::{Edit, FIELDS, KEY, Sale};
use super::taken::less_refunds;
use super::wire::{list, text};
use connector::outbound::{Access, Failure, classify, segment};
use connector::port::{MissingReference, ObjectState, Observation, Observed, Stage, Wanted};
use kernel::fault::{Fault, Reference};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a line is sold as, by its SKU.
pub(super) const VARIANT: &str = "variant";
/// An order that is waited for, by its object key.
pub(super) const ORDER: &str = "order";
/// An order that nobody is changing any more, by its object key.
pub(super) const AT_REST: &str = "order_at_rest";

/// What `plan` needs besides the order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Context {
    /// By SKU.
    pub(super) variants: BTreeMap<String, String>,
}

/// As it stands in an address: whole, so that no key is found within a longer one.
pub(super) fn mark(key: &str) -> String {
    format!("[{key}]")
}

impl Ask<'_> {
    pub(super) async fn observe(&self, wanted: &Wanted) -> Result<Observation, Fault> {
        let (mut object, adopted) = self.look(wanted).await?;
        let order = Order::read(&wanted.body).ok();
        let mut context = Context::default();
        let mut missing = Vec::new();
        if let Some(sale) = object.as_mut().ok().and_then(Option::as_mut)
            && !sale.draft
            && !sale.cancelled()
        {
            sale.edit = self.edit(&sale.id).await?;
        }
        if let Some(sale) = object.as_mut().ok().and_then(Option::as_mut)
            && !adopted
        {
            sale.edits = self.edits(sale, wanted.object_key.as_str()).await?;
        }
        let sale = object.as_ref().ok().and_then(Option::as_ref);
        // A body that cannot be read is told by `plan`; `prove` asks without one.
        if let Some(order) = order.filter(|_| needs_variants(wanted, &object) && !adopted) {
            let differs = |sale: &Sale| {
                let (order, _) = less_refunds(&order, &sale.edits);
                !compare::lines(&order, &sale.items).is_empty()
            };
            if sale.is_none_or(differs) {
                (context, missing) = self.variants(&order).await?;
            }
        }
        let object = match object {
            Err(ids) => Observed::Many(ids),
            Ok(None) => Observed::None,
            Ok(Some(sale)) => Observed::One(ObjectState {
                external: sale.external(),
                body: serde_json::to_value(&sale).unwrap_or_default(),
                adopted,
            }),
        };
        let context = serde_json::to_value(&context).unwrap_or_default();
        Ok(Observation { object, context, missing })
    }

    /// The order, or the ids of several; and whether it is of a former connector.
    async fn look(&self, wanted: &Wanted) -> Result<(Result<Option<Sale>, Vec<String>>, bool), Fault> {
        let found = self.by_key(wanted.object_key.as_str()).await?;
        if !matches!(found, Ok(None)) {
            return Ok((found, false));
        }
        // Somebody may have written over the address: what we know the id of is still found.
        if let Some(known) = wanted.known.as_ref().filter(|known| !known.id.is_empty()) {
            return Ok((Ok(self.by_id(&known.id).await?), false));
        }
        for former in &wanted.also_known_as {
            let theirs = |record: &Value| {
                let metadata = record.get("metadata").and_then(Value::as_object);
                metadata.is_some_and(|metadata| metadata.values().any(|value| value.as_str() == Some(former)))
            };
            let found = one_of(self.search(former, &theirs).await?)?;
            if !matches!(found, Ok(None)) {
                return Ok((found, true));
            }
        }
        Ok((Ok(None), false))
    }

    /// The order that bears a key, or the ids of several.
    pub(super) async fn by_key(&self, key: &str) -> Result<Result<Option<Sale>, Vec<String>>, Fault> {
        let ours = |record: &Value| record.get("metadata").and_then(|m| text(m, KEY)).as_deref() == Some(key);
        one_of(self.search(&mark(key), &ours).await?)
    }

    async fn by_id(&self, id: &str) -> Result<Option<Sale>, Fault> {
        let path = format!("/admin/orders/{}?fields={FIELDS}", segment(id));
        let record = self.one(path, "order").await?;
        record.map(|record| sale(&record)).transpose()
    }

    /// An order by its id, draft or not, with the change that is being made to it.
    pub(super) async fn known(&self, id: &str) -> Result<Option<Sale>, Fault> {
        let Some(mut sale) = self.by_id(id).await? else { return Ok(None) };
        if !sale.draft && !sale.cancelled() {
            sale.edit = self.edit(id).await?;
        }
        Ok(Some(sale))
    }

    /// What the search finds and is meant, of both lists, each order once.
    async fn search(
        &self,
        words: &str,
        meant: &(dyn Fn(&Value) -> bool + Send + Sync),
    ) -> Result<Vec<Value>, Fault> {
        let mut found: BTreeMap<String, Value> = BTreeMap::new();
        for (list, name) in [("draft-orders", "draft_orders"), ("orders", "orders")] {
            let path = format!("/admin/{list}?q={}&order=id&fields={FIELDS}", segment(words));
            for record in self.all(&path, name, PAGE).await?.into_iter().filter(|record| meant(record)) {
                found.insert(text(&record, "id").unwrap_or_default(), record);
            }
        }
        Ok(found.into_values().collect())
    }

    /// The change that is being made to an order.
    pub(super) async fn edit(&self, id: &str) -> Result<Option<Edit>, Fault> {
        let preview = self.one(format!("/admin/orders/{}/preview", segment(id)), "order").await?;
        Ok(preview.as_ref().and_then(Edit::read))
    }

    async fn variants(&self, order: &Order) -> Result<(Context, Vec<MissingReference>), Fault> {
        let skus: BTreeSet<&str> = order.lines.iter().filter_map(|line| line.sku()).collect();
        let variants = self.variant_ids(&skus.into_iter().collect::<Vec<_>>()).await?;
        let absent = order.lines.iter().enumerate().filter_map(|(at, line)| {
            let reference = line.variant.as_ref().map(|variant| variant.reference.clone())?;
            (!variants.contains_key(&reference.value)).then(|| MissingReference {
                reference,
                field: format!("lines[{at}].variant"),
                similar: None,
            })
        });
        let missing = absent.collect();
        Ok((Context { variants }, missing))
    }

    async fn variant_ids(&self, skus: &[&str]) -> Result<BTreeMap<String, String>, Fault> {
        let mut ids = BTreeMap::new();
        for some in skus.chunks(CODES_MAX) {
            let asked: String = some.iter().map(|sku| format!("sku[]={}&", segment(sku))).collect();
            let path = format!("/admin/product-variants?{asked}fields=id,sku");
            for variant in self.all(&path, "variants", CODES_MAX * 2).await? {
                if let (Some(id), Some(sku)) = (text(&variant, "id"), text(&variant, "sku")) {
                    ids.insert(sku, id);
                }
            }
        }
        Ok(ids)
    }

    /// `None`: Medusa is not asked for references of this kind.
    pub(super) async fn exists(&self, reference: &Reference) -> Result<Option<bool>, Fault> {
        let key = reference.value.as_str();
        match reference.kind.as_str() {
            VARIANT => Ok(Some(self.variant_ids(&[key]).await?.contains_key(key))),
            ORDER | AT_REST => {
                let Ok(Some(sale)) = self.by_key(key).await? else { return Ok(Some(false)) };
                let is_there = !sale.draft;
                let at_rest =
                    reference.kind == ORDER || sale.cancelled() || self.edit(&sale.id).await?.is_none();
                Ok(Some(is_there && at_rest))
            }
            _ => Ok(None),
        }
    }
}

fn needs_variants(wanted: &Wanted, object: &Result<Option<Sale>, Vec<String>>) -> bool {
    match object {
        _ if wanted.stage == Stage::Cancelled => false,
        Err(_) => false,
        Ok(None) => wanted.known.is_none(),
        Ok(Some(sale)) => !sale.cancelled() && !sale.draft,
    }
}

fn one_of(records: Vec<Value>) -> Result<Result<Option<Sale>, Vec<String>>, Fault> {
    match records.as_slice() {
        [] => Ok(Ok(None)),
        [record] => Ok(Ok(Some(sale(record)?))),
        several => Ok(Err(several.iter().filter_map(|record| text(record, "id")).collect())),
    }
}

fn sale(record: &Value) -> Result<Sale, Fault> {
    Sale::read(record).ok_or_else(|| {
        let lines = list(record, "items").count();
        let why = format!("an order of {lines} lines is not of the form that is known");
        classify::failure(Access::Read, &Failure::Unreadable(why))
    })
}
