//! What a whole list of levels is composed to, in whatever order they come.

use super::*;
use domains::inventory::composed;
use domains::inventory::outlets::Outlets;
use domains::inventory::pools::Pools;

/// Gives what it holds, a line at a time.
#[derive(Debug)]
struct Listed(Vec<Vec<u8>>);

#[async_trait]
impl Whole for Listed {
    fn topic(&self) -> &'static str {
        "stock/level"
    }

    async fn next(&mut self) -> Result<Vec<Stated>, Fault> {
        let stated = |payload: Vec<u8>| Stated { sequence: 1, payload: payload.into() };
        Ok(self.0.pop().map(stated).into_iter().collect())
    }
}

fn level((sku, at, on_hand): (&str, &str, i64)) -> Vec<u8> {
    let level = serde_json::json!({
        "sku": sku, "location": at, "on_hand": on_hand, "changed_at": "2026-11-26T14:00:00Z",
    });
    level.to_string().into_bytes()
}

/// What is given of these levels: the topic, and what may be sold of which SKU; and what came.
async fn given(levels: &[(&str, &str, i64)]) -> (Vec<(&'static str, String, i64)>, Came) {
    let rules = Rules::default().with_pools(Pools::parse(&["ALL = A + B".to_owned()]).unwrap());
    given_by(&rules, levels).await
}

async fn given_by(rules: &Rules, levels: &[(&str, &str, i64)]) -> (Vec<(&'static str, String, i64)>, Came) {
    let listed = Listed(levels.iter().rev().copied().map(level).collect());
    let mut whole = Composed::new(Box::new(listed), rules.clone(), ShopId::new("acme").unwrap());
    let mut given = Vec::new();
    loop {
        let come = whole.next().await.unwrap();
        if come.is_empty() {
            return (given, whole.came().unwrap());
        }
        for stated in come {
            let (sku, available) = match whole.topic() {
                TOPIC => {
                    let composed = composed::read(&stated.payload).unwrap();
                    (composed.sku.clone(), composed.canonical(rules).unwrap().available)
                }
                _ => {
                    let level = inventory::read(&stated.payload).unwrap();
                    (level.sku.clone(), inventory::sold(&level, rules).unwrap().available)
                }
            };
            given.push((whole.topic(), sku, available));
        }
    }
}

#[tokio::test]
async fn a_sum_is_given_as_soon_as_all_of_it_has_come_and_what_stands_alone_at_once() {
    let (given, came) =
        given(&[("LAMP", "A", 3), ("CHAIR", "C", 5), ("TABLE", "B", 7), ("LAMP", "B", 4), ("CHAIR", "A", 1)])
            .await;
    let of = |topic, sku: &str, available| (topic, sku.to_owned(), available);
    assert_eq!(
        given,
        [
            of("stock/level", "CHAIR", 5),
            of(TOPIC, "LAMP", 7),
            // Nobody ever told of these at the other location.
            of(TOPIC, "CHAIR", 1),
            of(TOPIC, "TABLE", 7),
        ]
    );
    assert_eq!(came, Came { named: 5, twice: 0 });
}

#[tokio::test]
async fn one_that_comes_twice_is_counted_and_not_summed() {
    for levels in [
        [("LAMP", "A", 3), ("LAMP", "A", 100), ("LAMP", "B", 4)],
        // After the sum was given.
        [("LAMP", "A", 3), ("LAMP", "B", 4), ("LAMP", "A", 100)],
    ] {
        let (given, came) = given(&levels).await;
        assert_eq!(given, [(TOPIC, "LAMP".to_owned(), 7)]);
        assert_eq!(came, Came { named: 3, twice: 1 });
    }
}

#[tokio::test]
async fn what_is_divided_is_given_once_for_each_outlet() {
    let outlets = Outlets::parse(&["A = WEB 70% + STORE 30%".to_owned()], &Pools::default()).unwrap();
    let rules = Rules::default().with_outlets(outlets);
    let levels = [("LAMP", "A", 3), ("LAMP", "A", 100), ("CHAIR", "B", 5), ("LAMP", "WEB", 9)];
    let (given, came) = given_by(&rules, &levels).await;
    let of = |topic, sku: &str, available| (topic, sku.to_owned(), available);
    let level = "stock/level";
    // What is told of an outlet itself is handed on, to be refused.
    assert_eq!(
        given,
        [of(TOPIC, "LAMP", 3), of(TOPIC, "LAMP", 3), of(level, "CHAIR", 5), of(level, "LAMP", 9)]
    );
    assert_eq!(came, Came { named: 4, twice: 1 });
}
