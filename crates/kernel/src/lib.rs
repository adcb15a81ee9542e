//! The vocabulary of Tidegate: money, ids, versions, envelopes, keys, faults, back-off, clock and chance as ports.
