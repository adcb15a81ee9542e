//! For which company locations a customer may buy. Owns how long what Shopify said is believed: a minute, and ten while Shopify
//! does not answer. So a role that is taken away counts for no longer than a minute, whatever webhook was lost, and nothing has
//! to be swept.

use super::super::PriceError;
use async_trait::async_trait;
use kernel::clock::Mono;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex as Plain, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;

/// So long it is not asked for again.
const FRESH: Duration = Duration::from_secs(60);
/// So long it still counts where nobody answers.
const BELIEVED: Duration = Duration::from_secs(600);
/// Customers that are known at once; beyond it all are forgotten and asked for anew.
const KNOWN_MAX: usize = 50_000;

/// One shop that can be asked.
#[async_trait]
pub trait Roles: Send + Sync + Debug {
    /// The ids of the company locations where the customer has a role, as Shopify writes them (`gid://…`). Empty for a
    /// customer that Shopify does not know.
    ///
    /// # Errors
    /// What kept it from being known, for the log.
    async fn locations(&self, customer: u64) -> Result<Vec<Box<str>>, String>;
}

pub(super) type Locations = Arc<[Box<str>]>;

/// What is known of one shop's customers.
#[derive(Debug)]
pub(super) struct Known {
    roles: Arc<dyn Roles>,
    customers: Plain<BTreeMap<u64, Arc<Slot>>>,
}

/// Held while it is asked for, so that a customer is asked for once however many requests wait.
type Slot = Mutex<Option<(Mono, Locations)>>;

impl Known {
    pub(super) fn new(roles: Arc<dyn Roles>) -> Self {
        Self { roles, customers: Plain::default() }
    }

    pub(super) async fn of(&self, customer: u64, now: Mono) -> Result<Locations, PriceError> {
        let slot = self.slot(customer);
        let mut held = slot.lock().await;
        let age = |since: &Mono| now.since(*since);
        if let Some((since, locations)) = held.as_ref()
            && age(since) < FRESH
        {
            return Ok(locations.clone());
        }
        match self.roles.locations(customer).await {
            Ok(locations) => {
                let locations: Locations = locations.into();
                *held = Some((now, locations.clone()));
                Ok(locations)
            }
            Err(error) => match held.as_ref() {
                Some((since, locations)) if age(since) < BELIEVED => Ok(locations.clone()),
                _ => {
                    tracing::warn!(error, "the roles of a customer cannot be looked up: no price is told");
                    Err(PriceError::roles_unknown())
                }
            },
        }
    }

    fn slot(&self, customer: u64) -> Arc<Slot> {
        let mut customers = self.customers.lock().unwrap_or_else(PoisonError::into_inner);
        if customers.len() >= KNOWN_MAX && !customers.contains_key(&customer) {
            // Whoever is asked for just now keeps its slot alive by itself.
            customers.clear();
        }
        customers.entry(customer).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Debug, Default)]
    struct Counted(AtomicU64);

    #[async_trait]
    impl Roles for Counted {
        async fn locations(&self, _: u64) -> Result<Vec<Box<str>>, String> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(Vec::new())
        }
    }

    #[tokio::test]
    async fn however_many_customers_ask_no_more_are_known_than_the_memory_is_for() {
        let counted = Arc::<Counted>::default();
        let known = Known::new(counted.clone());
        for customer in 0..KNOWN_MAX as u64 {
            known.of(customer, Mono(0)).await.unwrap();
        }
        known.of(0, Mono(0)).await.unwrap();
        assert_eq!(counted.0.load(Ordering::Relaxed), KNOWN_MAX as u64);
        known.of(u64::MAX, Mono(0)).await.unwrap();
        assert_eq!(known.customers.lock().unwrap().len(), 1);
    }
}
