//! The operator's commands as whoever types them meets them: the real binary, its output and its exit code, over a store
//! that no hub uses, over a running hub, and over a hub that does not answer.

#![expect(clippy::unwrap_used, reason = "what a test needs is there, or the test fails")]

mod answers;
mod asking;
mod backfilling;
mod bundles;
mod by_hand;
mod changing;
mod charged;
mod correcting;
mod dividing;
mod dropped;
mod dropped_whole;
mod ends;
mod folder;
mod hinting;
mod holding;
mod hub;
mod hydrating;
mod keys;
mod letters;
mod names;
mod office;
mod oms;
mod parcels;
mod patience;
mod paying;
mod pooling;
mod price_feed;
mod pricing;
mod real_pitr;
mod real_postgres;
mod real_postgres_prices;
mod redacted;
mod refunding;
mod reported;
mod reserving;
mod restored;
mod seeded;
mod shipping;
mod showing;
mod stock;
mod store_files;
mod transcripts;
mod twins;
mod whole_stock;
mod works;
