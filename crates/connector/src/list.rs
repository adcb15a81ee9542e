//! The list of connectors. Owns the one line that makes a connector known, and that a connector without its contract
//! does not compile.

use crate::descriptor::Descriptor;
use crate::port::{Connector, Source};
use crate::settings::Settings;
use std::sync::Arc;

/// A connector, or all that is wrong with its settings.
pub type Connected = Result<Arc<dyn Connector>, Vec<String>>;

/// A source, or all that is wrong with its settings.
pub type AsSource = Result<Arc<dyn Source>, Vec<String>>;

/// One kind of connector, before it has a connection.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The word after `connector =`.
    pub name: &'static str,
    /// What it can do with these settings, or all that is wrong with them. Makes no call and needs no secret.
    pub describe: fn(&Settings) -> Result<Descriptor, Vec<String>>,
    /// Ready to be called. Needs the secrets; makes no call.
    pub connect: fn(&Settings) -> Connected,
    /// For a system that facts come from: what is asked.
    pub source: Option<fn(&Settings) -> AsSource>,
    /// Whether it takes anything. One that only gives is asked, and never connected.
    pub takes: bool,
}

/// Makes `all()`, and for each connector a test that runs the contract over its fixture.
///
/// A line is `name => module, contract: path`. The module has `describe` and `connect` as [`Kind`] has them; the path
/// is an async function that gives an `impl connector::contract::Fixture`, and only tests look at it. A system that facts
/// come from as well has `, source: path` behind it, a function as [`Kind::source`] has it.
///
/// ```
/// mod blue {
///     use tidegate_connector::{descriptor::Descriptor, list::Connected, settings::Settings};
///     pub fn describe(_: &Settings) -> Result<Descriptor, Vec<String>> { Err(vec!["url: is required".into()]) }
///     pub fn connect(_: &Settings) -> Connected { Err(vec!["url: is required".into()]) }
/// }
/// tidegate_connector::connector_list! {
///     blue => blue, contract: blue::fixture;
/// }
/// # fn main() {
/// assert_eq!(all()[0].name, "blue");
/// # }
/// ```
///
/// Without its contract the same line does not compile:
///
/// ```compile_fail
/// mod blue {
///     use tidegate_connector::{descriptor::Descriptor, list::Connected, settings::Settings};
///     pub fn describe(_: &Settings) -> Result<Descriptor, Vec<String>> { Err(vec!["url: is required".into()]) }
///     pub fn connect(_: &Settings) -> Connected { Err(vec!["url: is required".into()]) }
/// }
/// tidegate_connector::connector_list! {
///     blue => blue;
/// }
/// # fn main() {
/// assert_eq!(all()[0].name, "blue");
/// # }
/// ```
#[macro_export]
macro_rules! connector_list {
    (@source) => { None };
    (@source $source:path) => { Some($source) };
    ($($name:ident => $module:path, contract: $contract:path $(, source: $source:path)?;)+) => {
        /// Every connector of this crate.
        pub fn all() -> &'static [$crate::list::Kind] {
            const ALL: &[$crate::list::Kind] = &[$({
                use $module as listed;
                $crate::list::Kind {
                    name: stringify!($name),
                    describe: listed::describe,
                    connect: listed::connect,
                    source: $crate::connector_list!(@source $($source)?),
                    takes: true,
                }
            }),+];
            ALL
        }

        #[cfg(test)]
        mod contract_of {
            $(
                #[tokio::test]
                async fn $name() {
                    use super::*;
                    let fixture = $contract().await;
                    $crate::contract::run(&fixture).await.assert_kept();
                }
            )+
        }
    };
}
