//! Sets the link flags that an N-API addon needs on each platform.

fn main() {
    napi_build::setup();
    // Node unmaps an addon when the last environment that loaded it ends. That may be the
    // environment of a worker thread. The hashing threads belong to no environment and would run
    // unmapped code. The linkers of other systems have no flag for this; `Platform::stay_loaded`
    // does it there.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
