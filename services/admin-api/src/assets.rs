//! The dashboard's files, part of the program.

/// A file of the dashboard.
pub(crate) struct Asset {
    pub(crate) name: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) bytes: &'static [u8],
}

/// The page itself.
pub(crate) const INDEX: &str = include_str!("../assets/index.html");

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! asset {
    ($name:literal, $content_type:expr) => {
        Asset {
            name: $name,
            content_type: $content_type,
            bytes: include_bytes!(concat!("../assets/", $name)),
        }
    };
}

/// What the page loads.
pub(crate) const ASSETS: &[Asset] = &[
    asset!("admin.css", CSS),
    asset!("admin.js", JAVASCRIPT),
    asset!("api.js", JAVASCRIPT),
    asset!("bars.js", JAVASCRIPT),
    asset!("broker.js", JAVASCRIPT),
    asset!("charts.js", JAVASCRIPT),
    asset!("decision.js", JAVASCRIPT),
    asset!("event.js", JAVASCRIPT),
    asset!("favicon.svg", SVG),
    asset!("flow.js", JAVASCRIPT),
    asset!("forms.js", JAVASCRIPT),
    asset!("letters.js", JAVASCRIPT),
    asset!("log.js", JAVASCRIPT),
    asset!("page.js", JAVASCRIPT),
    asset!("people.js", JAVASCRIPT),
    asset!("reports.js", JAVASCRIPT),
    asset!("requests.js", JAVASCRIPT),
    asset!("retention.js", JAVASCRIPT),
    asset!("scores.js", JAVASCRIPT),
    asset!("search.js", JAVASCRIPT),
    asset!("sparkline.js", JAVASCRIPT),
    asset!("tables.js", JAVASCRIPT),
];

/// The file of this name.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets");
        let mut expected: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(expected.remove("index.html"));
        let served = ASSETS.iter().map(|asset| asset.name.to_owned());
        assert_eq!(served.collect::<BTreeSet<_>>(), expected);
    }
}
