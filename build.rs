//! Link flags that an N-API addon needs on each platform.

fn main() {
    napi_build::setup();
    // Node unmaps an addon when the last environment that loaded it ends, which may be a worker
    // thread's. The hashing threads belong to no environment and would run unmapped code. Other
    // linkers have no such flag: `Platform::stay_loaded`.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
