//! Links the libcap of the machine (Debian: libcap-dev).

fn main() {
    println!("cargo:rustc-link-lib=dylib=cap");
}
