//! The doors and the admin API as their callers meet them: over the routers that are served, with the store in memory
//! and a clock that stands.

mod access;
mod acting;
mod answer;
mod bounds;
mod cadence;
mod documented;
mod doors;
mod gated;
mod ingest;
mod outside;
mod prices;
mod privacy;
mod reading;
mod watching;
mod webhooks;
mod working;
mod world;
