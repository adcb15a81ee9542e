//! The embedded store: one writer thread, WAL, synchronous=FULL.
