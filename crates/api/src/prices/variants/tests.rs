//! That the memory of what was asked one by one stays small.

use super::*;
use jiff::Timestamp;
use kernel::clock::Now;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
struct Turned(AtomicU64);

impl Clock for Turned {
    fn now(&self) -> Now {
        Now { wall: Timestamp::UNIX_EPOCH, mono: Mono(self.0.load(Ordering::Relaxed)) }
    }
}

/// Has each variant with an even number.
#[derive(Debug)]
struct Even;

#[async_trait]
impl Sold for Even {
    async fn skus(&self, variants: &[u64]) -> Result<Vec<Option<Box<str>>>, String> {
        Ok(variants.iter().map(|id| (id % 2 == 0).then(|| format!("SKU-{id}").into())).collect())
    }

    async fn all(&self, _: &mut (dyn for<'s> FnMut(u64, &'s str) + Send)) -> Result<(), String> {
        Err("not today".to_owned())
    }
}

#[tokio::test]
async fn however_many_are_asked_for_only_those_that_are_there_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let shop = VariantShop {
        id: "acme".to_owned(),
        domain: "acme.myshopify.com".to_owned(),
        sold: Arc::new(Even),
        file: folder.path().join("acme"),
    };
    let variants = Arc::new(Variants::open(shop, Arc::new(Turned::default())));
    let last = (APART_MAX + 2 * ASKED_MAX) as u64;
    for first in (0..last).step_by(ASKED_MAX) {
        let some: Vec<u64> = (first..first + ASKED_MAX as u64).collect();
        assert!(variants.ask(&some).await);
    }
    assert!(variants.state().apart.len() <= APART_MAX);
    assert_eq!(variants.count(), APART_MAX / 2, "folded once, the half of them that is there");
    let ids = [Some(0), Some(1), Some(last - 2), None];
    let skus = variants.skus(&ids);
    let told: Vec<Option<&str>> = skus.iter().map(Option::as_deref).collect();
    assert_eq!(told, [Some("SKU-0"), None, Some(format!("SKU-{}", last - 2).as_str()), None]);
    assert!(!variants.ask(&[last - 1]).await, "it was asked for a moment ago");
}
