//! The promises of the port, one named case each, over any store. A store that passes may replace another.
//!
//! Owns no store and no runtime: the caller makes a fresh store for each case and drives the futures.

mod fixture;
mod keep;
mod lanes;
mod log;
mod moves;
mod questions;
mod records;
mod series;
mod states;
mod triage;

use crate::port::Store;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

/// A store as the cases see it.
pub type AnyStore = Arc<dyn Store>;
/// What a case or a store's maker returns.
pub type Running<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// One promise: panics where the store breaks it.
pub type Case = fn(AnyStore) -> Running<()>;

macro_rules! cases {
    ($($module:ident :: { $($name:ident),+ $(,)? }),+ $(,)?) => {
        /// Every case by name.
        pub fn cases() -> Vec<(&'static str, Case)> {
            vec![$($((concat!(stringify!($module), "::", stringify!($name)), (|store| Box::pin($module::$name(store))) as Case)),+),+]
        }
    };
}

cases! {
    log::{
        an_append_is_read_back_as_it_was,
        payloads_of_any_size_come_back,
        a_duplicate_is_told_from_another_body,
        a_duplicate_within_one_batch,
        copies_that_race_are_stored_once,
        a_webhook_id_is_known_a_day_later,
        routing_finds_by_state_not_by_position,
        a_decision_counts_once,
        routing_sees_how_the_subject_stands,
        an_older_version_does_not_become_the_routed_one,
        nothing_of_a_batch_is_lost_among_many,
    },
    lanes::{
        a_lane_is_claimed_by_one,
        what_is_routed_is_claimed_along,
        a_read_may_be_of_another_root_than_its_fact,
        a_lease_that_ended_is_taken_over_and_fenced,
        a_move_renews_the_lease,
        the_best_priority_goes_first_then_the_longest_due,
        flows_and_lanes_are_passed_over,
        a_lane_goes_in_order,
        a_dead_event_holds_later_events_only,
        another_lane_is_not_held,
        a_lane_is_given_back,
        next_due_is_that_of_free_lanes,
    },
    moves::{
        a_move_does_all_or_nothing,
        a_begun_attempt_survives_as_unknown,
        an_unknown_one_holds_its_lane_until_its_look_up,
        a_call_key_number_is_never_used_twice,
        follow_ups_are_deduplicated,
        what_a_dead_letter_says_of_its_subject_is_kept_and_told,
        a_later_step_is_that_of_the_newest_state,
        an_ended_delivery_is_not_moved_on,
        links_are_shared_by_flows_of_one_target,
    },
    states::{
        a_newer_state_supersedes_those_that_wait,
        a_newer_state_heals_a_dead_one,
        the_highest_priority_is_taken_over,
        nothing_is_superseded_while_it_is_unknown,
        an_unknown_one_that_fails_gives_way_to_the_newer,
        an_unknown_one_that_is_found_stays_delivered,
        a_claimed_state_that_was_superseded_is_not_begun,
        events_are_never_superseded,
        a_second_read_joins_the_one_that_waits,
        a_read_under_way_does_not_absorb_a_newer_one,
    },
    records::{
        a_change_is_folded_once_whoever_decides,
        changes_of_one_batch_stand_upon_each_other,
        a_record_is_begun_with_the_newest_state_of_its_source,
        a_record_outlives_the_log_and_not_a_redaction,
        what_follows_from_a_decision_is_lost_with_it,
    },
    triage::{
        a_dead_letter_opens_and_closes_on_proof,
        release_makes_them_wait_again_with_a_ramp,
        skip_ends_with_who_and_why_but_never_an_unknown_one,
        dead_letters_are_grouped_by_fingerprint,
        a_missing_reference_is_one_row_and_releases_all,
        pauses_end_or_are_resumed,
        every_intervention_is_in_the_audit,
    },
    questions::{
        the_status_of_subjects_in_the_order_asked,
        the_life_of_one_root,
        subjects_are_found_by_label_and_key,
        what_a_rule_filtered_is_found_again,
        backlog_and_lag,
        topics_are_seen_when_they_are_pushed,
        lists_are_filtered_and_paged,
        the_newest_payload_is_opened,
    },
    keep::{
        cursors_and_leases,
        nodes_know_of_each_other,
        a_redaction_destroys_and_ends_duties,
        a_redaction_of_a_customer_finds_the_roots,
        a_redaction_of_a_shop_finds_every_root_of_it_alone,
        a_redacted_root_may_come_again,
        retention_keeps_what_has_a_duty,
        webhook_ids_are_dropped_after_a_week,
        what_is_in_force_is_remembered,
    },
    series::{
        steps_follow_each_other_without_a_gap,
        of_those_that_take_one_number_one_does,
        chunks_come_back_and_go_with_their_step,
    },
}

/// Runs every case on a store of its own. The name of the case is printed before it, so that a failure has a name.
pub async fn run(make: impl Fn(&'static str) -> Running<AnyStore>) {
    for (name, case) in cases() {
        println!("case {name}");
        case(make(name).await).await;
    }
}

/// Drives futures side by side until each is ready; answers in their order.
pub async fn side_by_side<T>(mut futures: Vec<Running<T>>) -> Vec<T> {
    let mut answers: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, answer) in futures.iter_mut().zip(&mut answers) {
            if answer.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                *answer = Some(value);
            }
        }
        if answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;
    use std::pin::pin;
    use std::task::{Context, Waker};

    #[test]
    fn the_memory_store_conforms() {
        let make = |_: &'static str| -> Running<AnyStore> {
            Box::pin(async { Arc::new(MemoryStore::new()) as AnyStore })
        };
        let mut running = pin!(run(make));
        let ready = running.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(ready.is_ready(), "a future of the memory store was not ready at once");
    }
}
