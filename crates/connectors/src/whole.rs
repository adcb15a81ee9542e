//! For tests: all that a source has, by whose it is.

use connector::port::{Stated, Whole};
use kernel::fault::Fault;
use std::collections::BTreeMap;

/// By the path of each pair; each stands there once, and the end stays the end.
pub(crate) async fn by_path(whole: &mut dyn Whole) -> Result<BTreeMap<String, Stated>, Fault> {
    let mut all = BTreeMap::new();
    loop {
        let some = whole.next().await?;
        if some.is_empty() {
            break;
        }
        for stated in some {
            let level = domains::inventory::read(&stated.payload).expect("a level");
            let path = domains::inventory::path(&level.sku, &level.location);
            assert!(all.insert(path, stated).is_none(), "a pair stands there once");
        }
    }
    assert_eq!(whole.next().await, Ok(Vec::new()), "the end stays the end");
    Ok(all)
}
