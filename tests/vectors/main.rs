//! Runs folders of public test vectors.
mod harness;
fn main() {}
