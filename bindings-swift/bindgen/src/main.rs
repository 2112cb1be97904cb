//! `bloomchats-swift-bindgen STATIC_LIBRARY CONFIG FOLDER`: reads what the library exports and writes
//! `BloomChatsBridge.swift`, `BloomChatsFFI.h` and `module.modulemap` into FOLDER.

use anyhow::{Result, bail};
use uniffi_bindgen::bindings::{SwiftBindingsOptions, generate_swift_bindings};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [library, config, folder] = arguments.as_slice() else {
        bail!("usage: bloomchats-swift-bindgen STATIC_LIBRARY CONFIG FOLDER");
    };
    generate_swift_bindings(SwiftBindingsOptions {
        generate_swift_sources: true,
        generate_headers: true,
        generate_modulemap: true,
        source: library.into(),
        out_dir: folder.into(),
        config: Some(config.into()),
        module_name: Some("BloomChatsFFI".into()),
        modulemap_filename: Some("module.modulemap".into()),
        xcframework: false,
        metadata_no_deps: true,
        link_frameworks: Vec::new(),
    })
}
