//! Who may buy for which company location: contacts of companies, and the roles that they were given there. Owns what a person
//! gives and takes away in the shop's admin; an order gives nobody a role.

use super::shop::State;
use crate::shop::Order;
use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The two roles that every company has at Shopify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    LocationAdmin,
    OrderingOnly,
}

impl Role {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::LocationAdmin => "Location admin",
            Self::OrderingOnly => "Ordering only",
        }
    }
}

/// A customer as one company knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contact {
    pub(super) id: u64,
    pub(super) company: u64,
    pub(super) customer: u64,
    pub(super) created_at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Assignment {
    pub(super) id: u64,
    pub(super) contact: Contact,
    pub(super) location: u64,
    pub(super) role: Role,
    pub(super) created_at: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Roles {
    /// Made beforehand, with their names; those of orders are known besides.
    pub(super) companies: BTreeMap<u64, String>,
    /// The company of each location that was made with one.
    pub(super) company_of: BTreeMap<u64, u64>,
    /// By company and customer.
    contacts: BTreeMap<(u64, u64), Contact>,
    assignments: BTreeMap<u64, Assignment>,
}

impl Roles {
    pub(super) fn contact(&self, id: u64) -> Option<Contact> {
        self.contacts.values().find(|contact| contact.id == id).copied()
    }

    pub(super) fn knows_customer(&self, customer: u64) -> bool {
        self.contacts.keys().any(|(_, known)| *known == customer)
    }

    pub(super) fn of_customer(&self, customer: u64) -> impl Iterator<Item = Contact> {
        self.contacts.values().copied().filter(move |contact| contact.customer == customer)
    }

    /// Oldest first.
    pub(super) fn assignments(&self) -> impl Iterator<Item = &Assignment> {
        self.assignments.values()
    }
}

impl State {
    /// The company of a location: as orders have shown it, or as it was made.
    pub(super) fn company_of(&self, location: u64) -> Option<u64> {
        let of_orders = self.orders.values().filter_map(|order| order.company.as_ref());
        let shown =
            of_orders.filter(|company| company.location_id == location).map(|one| one.company_id).next();
        shown.or_else(|| self.roles.company_of.get(&location).copied())
    }

    /// What is there already stays as it is.
    pub(super) fn give_role(
        &mut self,
        customer: u64,
        location: u64,
        role: Role,
        at: Timestamp,
    ) -> Result<()> {
        let company = self.company_of(location).with_context(|| {
            format!("company location {location} belongs to no company: make it with know_company")
        })?;
        let contact = self.contact_of(company, customer, at);
        let held = |one: &&Assignment| one.contact.id == contact.id && one.location == location;
        if self.roles.assignments().filter(held).any(|one| one.role == role) {
            return Ok(());
        }
        let id = self.next_id();
        self.roles.assignments.insert(id, Assignment { id, contact, location, role, created_at: at });
        Ok(())
    }

    /// Every role that the customer has there; the contact stays.
    pub(super) fn take_roles(&mut self, customer: u64, location: u64) -> Result<()> {
        let before = self.roles.assignments.len();
        self.roles.assignments.retain(|_, one| one.contact.customer != customer || one.location != location);
        ensure!(self.roles.assignments.len() < before, "customer {customer} has no role at {location}");
        Ok(())
    }

    /// As an order shows it, else new.
    fn contact_of(&mut self, company: u64, customer: u64, at: Timestamp) -> Contact {
        if let Some(known) = self.roles.contacts.get(&(company, customer)) {
            return *known;
        }
        let shown = self.orders.values().filter(|order| is_by(order, company, customer));
        let shown = shown.filter_map(|order| order.company.as_ref()?.contact_id).next();
        let id = shown.unwrap_or_else(|| self.next_id());
        let contact = Contact { id, company, customer, created_at: at };
        self.roles.contacts.insert((company, customer), contact);
        contact
    }
}

fn is_by(order: &Order, company: u64, customer: u64) -> bool {
    order.customer.as_ref().is_some_and(|one| one.id == customer)
        && order.company.as_ref().is_some_and(|one| one.company_id == company)
}
