//! Canonical models of each domain, pure.
