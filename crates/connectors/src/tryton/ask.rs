//! Questions to Tryton about records: `search_read` within bounds. Owns the context that each call is made in and the
//! bound of an answer's records; only reads.

use super::code;
use super::config::Config;
use super::rpc::{self, Rpc};
use super::wire;
use connector::outbound::Access;
use connector::port::CallContext;
use kernel::fault::{Fault, FaultKind};
use serde_json::{Value, json};

/// No question has more records for an answer; one more is asked for, to see that it had.
pub(super) const RECORDS_MAX: usize = 1000;
/// Of what is read whole, so many records are one answer.
const PAGE: usize = 1000;
/// A domain names at most so many codes.
pub(super) const CODES_MAX: usize = 500;

/// One who asks: within one call of the hub.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) rpc: &'a Rpc,
    pub(super) config: &'a Config,
    pub(super) call: &'a CallContext,
}

/// The last parameter of each call.
pub(super) fn context(config: &Config) -> Value {
    json!({"company": config.company, "language": config.language})
}

impl Ask<'_> {
    pub(super) async fn call(&self, method: &str, mut params: Vec<Value>) -> Result<Value, Fault> {
        params.push(context(self.config));
        self.rpc.call(self.call, Access::Read, &rpc::body(method, &params)).await
    }

    /// The same in a context of its own besides.
    pub(super) async fn call_in(
        &self,
        method: &str,
        mut params: Vec<Value>,
        within: Value,
    ) -> Result<Value, Fault> {
        let mut context = context(self.config);
        if let (Some(context), Value::Object(within)) = (context.as_object_mut(), within) {
            context.extend(within);
        }
        params.push(context);
        self.rpc.call(self.call, Access::Read, &rpc::body(method, &params)).await
    }

    /// Every record of a domain, however many there are, a page after the other by id.
    pub(super) async fn pages(
        &self,
        model: &str,
        domain: Value,
        fields: &[&str],
        mut each: impl FnMut(&Value) + Send,
    ) -> Result<(), Fault> {
        let mut last = 0;
        loop {
            let domain = json!([["id", ">", last], domain]);
            let params = vec![domain, json!(0), json!(PAGE), json!([["id", "ASC"]]), json!(fields)];
            let result = self.call(&format!("model.{model}.search_read"), params).await?;
            let Value::Array(records) = result else { return Err(no_list(model)) };
            records.iter().for_each(&mut each);
            match records.last().and_then(wire::id) {
                Some(id) if records.len() == PAGE => last = id,
                _ => return Ok(()),
            }
        }
    }

    /// The sale under a reference. `None`: there is none, or more than one.
    pub(super) async fn sale_called(&self, reference: &str, fields: &[&str]) -> Result<Option<Value>, Fault> {
        let domain = json!([["company", "=", self.config.company], ["reference", "=", reference]]);
        let mut found = self.records("sale.sale", domain, fields).await?;
        let last = found.pop();
        Ok(last.filter(|_| found.is_empty()))
    }

    /// The records of a domain, by id.
    pub(super) async fn records(
        &self,
        model: &str,
        domain: Value,
        fields: &[&str],
    ) -> Result<Vec<Value>, Fault> {
        let params = vec![domain, json!(0), json!(RECORDS_MAX + 1), json!([["id", "ASC"]]), json!(fields)];
        let result = self.call(&format!("model.{model}.search_read"), params).await?;
        match result {
            Value::Array(records) if records.len() <= RECORDS_MAX => Ok(records),
            Value::Array(_) => {
                let what =
                    format!("Tryton has more than {RECORDS_MAX} records of {model} where a few are meant");
                Err(Fault::new(FaultKind::Rejected, code::TOO_MANY, what))
            }
            _ => Err(no_list(model)),
        }
    }
}

pub(super) fn no_list(model: &str) -> Fault {
    let failure = connector::outbound::Failure::Unreadable(format!("a search of {model} gives no list"));
    connector::outbound::classify::failure(Access::Read, &failure)
}

/// In a pattern of Tryton's `ilike`, a text that stands for itself.
pub(super) fn literal(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
