//! The files of the birders' page, as they are built into the program.

use std::sync::LazyLock;

use serde_json::json;
use sha2::{Digest as _, Sha256};

const CSS: &str = "text/css; charset=utf-8";
const MANIFEST: &str = "application/manifest+json";
const PNG: &str = "image/png";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// What the service worker needs to know comes before what is written in its file.
const WORKER: &str = "worker.js";

/// The page.
pub(crate) const INDEX: &str = include_str!("../assets/index.html");

/// A file of the page.
pub(crate) struct Asset {
    name: &'static str,
    /// Its media type.
    pub content_type: &'static str,
    bytes: &'static [u8],
}

macro_rules! assets {
    ($($name:literal: $content_type:expr,)*) => {
        &[$(Asset {
            name: $name,
            content_type: $content_type,
            bytes: include_bytes!(concat!("../assets/", $name)),
        }),*]
    };
}

const ASSETS: &[Asset] = assets! {
    "account.js": SCRIPT,
    "api.js": SCRIPT,
    "app.css": CSS,
    "app.js": SCRIPT,
    "choices.js": SCRIPT,
    "device.js": SCRIPT,
    "dom.js": SCRIPT,
    "entrance.js": SCRIPT,
    "erasure.js": SCRIPT,
    "export.js": SCRIPT,
    "factor.js": SCRIPT,
    "favicon.svg": SVG,
    "feed.js": SCRIPT,
    "forms.js": SCRIPT,
    "icon-192.png": PNG,
    "icon-512.png": PNG,
    "icon-maskable.png": PNG,
    "kept.js": SCRIPT,
    "language.js": SCRIPT,
    "lists.js": SCRIPT,
    "live.js": SCRIPT,
    "manifest.webmanifest": MANIFEST,
    "messages.en.js": SCRIPT,
    "messages.sv.js": SCRIPT,
    "new-tick.js": SCRIPT,
    "password.js": SCRIPT,
    "photo.js": SCRIPT,
    "pictures.js": SCRIPT,
    "place.js": SCRIPT,
    "prove.js": SCRIPT,
    "queue.js": SCRIPT,
    "report.js": SCRIPT,
    "sender.js": SCRIPT,
    "sessions.js": SCRIPT,
    "species.js": SCRIPT,
    "stars.js": SCRIPT,
    "ticks.js": SCRIPT,
    "unsent.js": SCRIPT,
    "worker.js": SCRIPT,
};

/// The worker's file with the list of what it keeps, and a version that changes with any of it.
static WORKER_TEXT: LazyLock<String> = LazyLock::new(|| {
    let mut version = Sha256::new_with_prefix(INDEX);
    for asset in ASSETS {
        version.update(asset.bytes);
    }
    let kept = ASSETS.iter().filter(|asset| asset.name != WORKER);
    let kept: Vec<String> = kept
        .map(|asset| format!("/assets/{}", asset.name))
        .collect();
    let shell = json!({"version": hex::encode(version.finalize()), "files": kept});
    let text = include_str!("../assets/worker.js");
    format!("const SHELL = {shell};\n{text}")
});

impl Asset {
    /// The file of this name.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        ASSETS.iter().find(|asset| asset.name == name)
    }

    /// What is in it.
    pub(crate) fn content(&self) -> &'static [u8] {
        if self.is_worker() {
            WORKER_TEXT.as_bytes()
        } else {
            self.bytes
        }
    }

    /// Whether it is the service worker, which may serve the whole origin.
    pub(crate) fn is_worker(&self) -> bool {
        self.name == WORKER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "index.html")
            .collect();
        files.sort();
        let served: Vec<&str> = ASSETS.iter().map(|asset| asset.name).collect();
        assert_eq!(served, files);
    }

    #[test]
    fn the_worker_keeps_every_file_but_itself() {
        let listed = WORKER_TEXT.matches("\"/assets/").count();
        assert_eq!(listed, ASSETS.len() - 1);
        assert!(!WORKER_TEXT.contains("\"/assets/worker.js\""));
    }
}
