//! Which operation a request asks for, read from its method, path and query.

use jiff::Timestamp;

use super::books::Wanted;
use super::fate::Weight;
use super::refusal::{Code, Refusal};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    CreateSale,
    FindSales { wanted: Wanted, page: usize },
    Sale(u64),
    Amend(u64),
    Confirm(u64),
    Cancel(u64),
    FindItems { sku: Option<String>, page: usize },
    AddItem,
    FindParties { code: Option<String>, page: usize },
    PostCreditNote,
    CreditNote(u64),
    FindCreditNotes { reference: Option<String>, page: usize },
    BookPayment,
    Payment(u64),
    FindPayments { reference: Option<String>, page: usize },
    AskPrices,
    Health,
}

impl Call {
    pub(super) fn read(method: &str, path: &str, query: &str) -> Result<Self, Refusal> {
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method, segments.as_slice()) {
            ("POST", ["sales"]) => Ok(Self::CreateSale),
            ("GET", ["sales"]) => {
                let [reference, from, until, page] =
                    read_query(query, ["reference", "ordered_from", "ordered_until", "page"])?;
                let wanted = Wanted {
                    reference,
                    ordered_from: instant("ordered_from", from)?,
                    ordered_until: instant("ordered_until", until)?,
                };
                Ok(Self::FindSales { wanted, page: page_number(page)? })
            }
            ("GET", ["sales", id]) => Ok(Self::Sale(sale_id(id)?)),
            ("PATCH", ["sales", id]) => Ok(Self::Amend(sale_id(id)?)),
            ("POST", ["sales", id, "confirm"]) => Ok(Self::Confirm(sale_id(id)?)),
            ("POST", ["sales", id, "cancel"]) => Ok(Self::Cancel(sale_id(id)?)),
            ("GET", ["items"]) => {
                let [sku, page] = read_query(query, ["sku", "page"])?;
                Ok(Self::FindItems { sku, page: page_number(page)? })
            }
            ("POST", ["items"]) => Ok(Self::AddItem),
            ("GET", ["parties"]) => {
                let [code, page] = read_query(query, ["code", "page"])?;
                Ok(Self::FindParties { code, page: page_number(page)? })
            }
            ("POST", ["credit-notes"]) => Ok(Self::PostCreditNote),
            ("GET", ["credit-notes"]) => {
                let [reference, page] = read_query(query, ["reference", "page"])?;
                Ok(Self::FindCreditNotes { reference, page: page_number(page)? })
            }
            ("GET", ["credit-notes", id]) => Ok(Self::CreditNote(sale_id(id)?)),
            ("POST", ["payments"]) => Ok(Self::BookPayment),
            ("GET", ["payments"]) => {
                let [reference, page] = read_query(query, ["reference", "page"])?;
                Ok(Self::FindPayments { reference, page: page_number(page)? })
            }
            ("GET", ["payments", id]) => Ok(Self::Payment(sale_id(id)?)),
            ("POST", ["prices"]) => Ok(Self::AskPrices),
            ("GET", ["health"]) => Ok(Self::Health),
            (_, ["sales" | "items" | "parties" | "credit-notes" | "payments" | "prices" | "health", ..]) => {
                Err(Refusal::new(Code::MethodNotAllowed, format!("{method} {path} is not offered")))
            }
            _ => Err(Refusal::new(Code::NotFound, format!("there is nothing at {path}"))),
        }
    }

    pub(super) fn weight(&self) -> Weight {
        match self {
            Self::CreateSale | Self::PostCreditNote | Self::BookPayment => Weight::Create,
            Self::Amend(_) | Self::Confirm(_) | Self::Cancel(_) | Self::AddItem => Weight::Write,
            Self::FindSales { .. } | Self::Sale(_) | Self::FindItems { .. } => Weight::Read,
            Self::FindParties { .. } | Self::AskPrices | Self::Health => Weight::Read,
            Self::FindCreditNotes { .. } | Self::CreditNote(_) => Weight::Read,
            Self::FindPayments { .. } | Self::Payment(_) => Weight::Read,
        }
    }
}

fn sale_id(segment: &str) -> Result<u64, Refusal> {
    segment.parse().map_err(|_| Refusal::new(Code::NotFound, format!("there is no sale {segment:?}")))
}

fn page_number(text: Option<String>) -> Result<usize, Refusal> {
    match text.map_or(Ok(1), |text| text.parse()) {
        Ok(page) if page > 0 => Ok(page),
        _ => Err(Refusal::of_field(Code::BadRequest, "page", "pages count from 1")),
    }
}

fn instant(name: &str, text: Option<String>) -> Result<Option<Timestamp>, Refusal> {
    let parsed = text.map(|text| text.parse()).transpose();
    parsed.map_err(|_| {
        Refusal::of_field(Code::BadRequest, name, "is to be an instant such as 2026-10-31T09:30:00Z")
    })
}

/// The named parameters; any other, or one twice, is refused.
pub(super) fn read_query<const N: usize>(
    query: &str,
    names: [&str; N],
) -> Result<[Option<String>; N], Refusal> {
    let mut values = [const { None }; N];
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Some(index) = names.iter().position(|known| *known == name) else {
            return Err(Refusal::of_field(Code::BadRequest, name, "no such parameter"));
        };
        if values[index].replace(decoded(value)).is_some() {
            return Err(Refusal::of_field(Code::BadRequest, name, "is given twice"));
        }
    }
    Ok(values)
}

/// Percent and plus decoding, as forms do.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let hex = text.get(index + 1..index + 3).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (bytes[index], hex) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                index += 2;
            }
            (b'+', _) => decoded.push(b' '),
            (byte, _) => decoded.push(byte),
        }
        index += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_and_the_rest_is_refused() {
        let reference = |text: &str| Wanted { reference: Some(text.to_owned()), ..Wanted::default() };
        let cases = [
            ("POST", "/sales", "", Ok(Call::CreateSale)),
            (
                "GET",
                "/sales",
                "reference=a%2Fb+c%20d&page=2",
                Ok(Call::FindSales { wanted: reference("a/b c d"), page: 2 }),
            ),
            ("GET", "/sales/7", "", Ok(Call::Sale(7))),
            ("PATCH", "/sales/7", "", Ok(Call::Amend(7))),
            ("POST", "/sales/7/confirm", "", Ok(Call::Confirm(7))),
            ("POST", "/sales/7/cancel", "", Ok(Call::Cancel(7))),
            (
                "GET",
                "/items",
                "sku=SKU-0001",
                Ok(Call::FindItems { sku: Some("SKU-0001".to_owned()), page: 1 }),
            ),
            ("GET", "/health", "", Ok(Call::Health)),
            ("POST", "/credit-notes", "", Ok(Call::PostCreditNote)),
            ("POST", "/payments", "", Ok(Call::BookPayment)),
            ("GET", "/payments/3", "", Ok(Call::Payment(3))),
            ("DELETE", "/payments/3", "", Err(Code::MethodNotAllowed)),
            ("POST", "/prices", "", Ok(Call::AskPrices)),
            ("GET", "/prices", "", Err(Code::MethodNotAllowed)),
            ("GET", "/credit-notes/3", "", Ok(Call::CreditNote(3))),
            ("PATCH", "/credit-notes/3", "", Err(Code::MethodNotAllowed)),
            ("DELETE", "/sales/7", "", Err(Code::MethodNotAllowed)),
            ("GET", "/sales/x", "", Err(Code::NotFound)),
            ("GET", "/orders", "", Err(Code::NotFound)),
            ("GET", "/sales", "referense=a", Err(Code::BadRequest)),
            ("GET", "/sales", "page=0", Err(Code::BadRequest)),
            ("GET", "/sales", "page=1&page=2", Err(Code::BadRequest)),
            ("GET", "/sales", "ordered_from=yesterday", Err(Code::BadRequest)),
        ];
        for (method, path, query, expected) in cases {
            assert_eq!(
                Call::read(method, path, query).map_err(|refusal| refusal.code),
                expected,
                "{method} {path}?{query}"
            );
        }
    }
}
