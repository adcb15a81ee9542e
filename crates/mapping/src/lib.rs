//! Declarative field mapping: table, checked plan, run, explain.
