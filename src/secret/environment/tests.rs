//! Variables that are read, and names that are refused.

use super::*;

#[test]
fn names_without_meaning_are_refused() {
    for name in ["", "A=B", "=", "A\0"] {
        assert!(VariableName::new(name.into()).is_none(), "{name:?}");
    }
}

#[test]
fn a_variable_is_read_and_wiped() {
    let name = VariableName::new("NODESEC_ENVIRON_TEST".into()).unwrap();
    assert!(name.read().unwrap().is_none());
    name.wipe();
    // SAFETY: no other test of this crate changes variables, and Rust's own readers take a lock.
    unsafe { std::env::set_var("NODESEC_ENVIRON_TEST", "sesame") };
    assert!(name.read().unwrap().unwrap().ct_eq(b"sesame"));
    name.wipe();
    assert!(name.read().unwrap().is_none());
}
