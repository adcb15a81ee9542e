//! What Tryton has under an object key. Owns the look-up, which sees two where there are two, and decides which
//! references have to be resolved: none where nothing will be written.

use super::ask::Ask;
use super::compare;
use super::order::Order;
use super::resolve::Found;
use super::resolved::Counter;
use super::sale::{FIELDS, Sale, State};
use super::wire;
use super::write::counter_reference;
use connector::outbound::{Access, Failure, classify};
use connector::port::{ObjectState, Observation, Observed, Stage, Wanted};
use kernel::fault::Fault;
use kernel::flow::ChangeBecomes;
use serde_json::{Value, json};

/// Enough to see that there are several, and who they are.
const SALES_MAX: usize = 10;

impl Ask<'_> {
    pub(super) async fn observe(&self, wanted: &Wanted) -> Result<Observation, Fault> {
        let mut found = Found::default();
        let object = self.look(wanted, &mut found).await?;
        // A body that cannot be read is told by `plan`.
        if let Ok(order) = Order::read(&wanted.body) {
            self.need(wanted, &order, &object, &mut found).await?;
        }
        Ok(Observation { object, context: found.context.value(), missing: found.missing })
    }

    async fn look(&self, wanted: &Wanted, found: &mut Found) -> Result<Observed, Fault> {
        let key = wanted.object_key.as_str();
        let counter = counter_reference(key);
        let records = self.sales(json!([["reference", "in", [key, counter]]])).await?;
        let (own, against): (Vec<&Value>, Vec<&Value>) =
            records.iter().partition(|record| wire::text(record, "reference").as_deref() == Some(key));
        if let [_, _, ..] = against.as_slice() {
            return Ok(Observed::Many(ids(&against)));
        }
        found.context.counter = against.first().and_then(|record| counter_of(record));
        if !own.is_empty() {
            return observed(&own, false);
        }
        if let Some(known) = wanted.known.as_ref().and_then(|known| known.id.parse::<i64>().ok()) {
            let records = self.sales(json!([["id", "=", known]])).await?;
            return observed(&records.iter().collect::<Vec<_>>(), false);
        }
        if wanted.also_known_as.is_empty() {
            return Ok(Observed::None);
        }
        let records = self.sales(json!([["reference", "in", wanted.also_known_as]])).await?;
        observed(&records.iter().collect::<Vec<_>>(), true)
    }

    async fn sales(&self, domain: Value) -> Result<Vec<Value>, Fault> {
        let domain = json!([["company", "=", self.config.company], domain]);
        let params = vec![domain, json!(0), json!(SALES_MAX), json!([["id", "ASC"]]), json!(FIELDS)];
        match self.call("model.sale.sale.search_read", params).await? {
            Value::Array(records) => Ok(records),
            _ => Err(unreadable("a look-up of sales gives no list")),
        }
    }

    /// Looks up what `plan` will need.
    async fn need(
        &self,
        wanted: &Wanted,
        order: &Order,
        object: &Observed,
        found: &mut Found,
    ) -> Result<(), Fault> {
        let cancels = wanted.stage == Stage::Cancelled;
        let sale = match object {
            Observed::Many(_) => return Ok(()),
            Observed::None if cancels || wanted.known.is_some() => return Ok(()),
            Observed::One(object) if object.adopted => return Ok(()),
            Observed::None => None,
            Observed::One(object) => serde_json::from_value::<Sale>(object.body.clone()).ok(),
        };
        if let Some(sale) = sale.as_ref().filter(|_| cancels) {
            let counters = wanted.after_confirm.cancel == ChangeBecomes::CounterDocument;
            if counters && sale.state.is_confirmed() && found.context.counter.is_none() {
                found.context.adds_shipping = self.adds_shipping().await?;
            }
            return Ok(());
        }
        self.taxes(order, found).await?;
        match sale {
            None => self.resolve(order, found).await,
            Some(sale) if sale.state == State::Cancelled => Ok(()),
            Some(sale) => {
                let differences = compare::differences(self.config, order, &found.context, &sale);
                if differences.is_empty() { Ok(()) } else { self.resolve(order, found).await }
            }
        }
    }
}

fn observed(records: &[&Value], adopted: bool) -> Result<Observed, Fault> {
    match records {
        [] => Ok(Observed::None),
        [record] => {
            let sale =
                Sale::read(record).ok_or_else(|| unreadable("a sale is not of the form that is known"))?;
            let body = serde_json::to_value(&sale).unwrap_or_default();
            Ok(Observed::One(ObjectState { external: sale.external(), body, adopted }))
        }
        several => Ok(Observed::Many(ids(several))),
    }
}

fn ids(records: &[&Value]) -> Vec<String> {
    records.iter().filter_map(|record| wire::id(record)).map(|id| id.to_string()).collect()
}

fn counter_of(record: &Value) -> Option<Counter> {
    let (number, state) = (wire::text(record, "number"), wire::text(record, "state")?);
    Some(Counter { id: wire::id(record)?, number, state })
}

fn unreadable(why: &str) -> Fault {
    classify::failure(Access::Read, &Failure::Unreadable(why.to_owned()))
}
