//! Every check and chore of the project.

fn main() {}
