//! Cases of series: what all nodes hold alike.

use super::fixture::*;
use super::{AnyStore, Running, side_by_side};
use crate::series::SeriesStep;

const PRICES: &str = "prices";

fn step(number: u64, body: &str) -> SeriesStep {
    SeriesStep {
        number,
        body: body.to_owned(),
        digest: format!("digest of {body}"),
        bytes: 7,
        whole: number == 1,
        at: at(9),
    }
}

async fn numbers(store: &AnyStore, from: u64, limit: u32) -> Vec<u64> {
    let steps = store.series_steps(PRICES, from, limit).await.unwrap();
    steps.into_iter().map(|step| step.number).collect()
}

pub(super) async fn steps_follow_each_other_without_a_gap(store: AnyStore) {
    assert_eq!(store.series_head(PRICES).await.unwrap(), None);
    assert!(!store.append_step(PRICES, &step(2, "b")).await.unwrap(), "there is no first one");
    for number in 1..=5 {
        assert!(store.append_step(PRICES, &step(number, &format!("body {number}"))).await.unwrap());
    }
    for taken in [1, 5, 7] {
        assert!(!store.append_step(PRICES, &step(taken, "late")).await.unwrap(), "{taken}");
    }
    assert_eq!(store.series_head(PRICES).await.unwrap(), Some(step(5, "body 5")));
    assert_eq!(store.series_steps(PRICES, 1, 1).await.unwrap(), [step(1, "body 1")]);
    assert_eq!((numbers(&store, 3, 9).await, numbers(&store, 2, 2).await), (vec![3, 4, 5], vec![2, 3]));
    assert!(store.append_step("another", &step(1, "a")).await.unwrap());
    assert_eq!(store.series_head(PRICES).await.unwrap().unwrap().number, 5);
}

pub(super) async fn of_those_that_take_one_number_one_does(store: AnyStore) {
    let all: Vec<Running<bool>> = (0..8)
        .map(|node| {
            let store = store.clone();
            let step = step(1, &format!("of {node}"));
            Box::pin(async move { store.append_step(PRICES, &step).await.unwrap() }) as Running<bool>
        })
        .collect();
    assert_eq!(side_by_side(all).await.into_iter().filter(|taken| *taken).count(), 1);
}

pub(super) async fn chunks_come_back_and_go_with_their_step(store: AnyStore) {
    let long: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    for (body, second) in [("body 1", 0), ("body 2", 0), ("never named", 0), ("under way", 50)] {
        for (part, bytes) in [(0, Vec::new()), (1, body.as_bytes().to_vec()), (2, long.clone())] {
            store.put_chunk(PRICES, body, part, bytes, at(second)).await.unwrap();
        }
    }
    for number in [1, 2] {
        store.append_step(PRICES, &step(number, &format!("body {number}"))).await.unwrap();
    }
    let chunk = async |body: &str, part| store.chunk(PRICES, body, part).await.unwrap();
    assert_eq!(chunk("body 1", 0).await, Some(Vec::new()));
    assert_eq!(chunk("body 1", 1).await.as_deref(), Some(b"body 1".as_slice()));
    assert_eq!(chunk("body 2", 2).await, Some(long));
    assert_eq!(chunk("body 2", 3).await, None);
    assert_eq!(store.forget_steps(PRICES, 2, at(40)).await.unwrap(), 1);
    let left = [chunk("body 1", 1).await, chunk("never named", 1).await].map(|chunk| chunk.is_some());
    assert_eq!(left, [false, false]);
    let left = [chunk("body 2", 1).await, chunk("under way", 1).await].map(|chunk| chunk.is_some());
    assert_eq!(left, [true, true], "of a step that is kept, or of one that may still come");
    assert_eq!(numbers(&store, 1, 9).await, [2]);
    assert!(store.append_step(PRICES, &step(3, "under way")).await.unwrap(), "numbers go on");
}
