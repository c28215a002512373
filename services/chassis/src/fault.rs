//! Mistakes made on purpose, so that the proof set shows that it would notice them. They are in a
//! build with the feature `planted-faults` only, and there only the one that `DIPPER_FAULT` names.

use serde_json::Value;
use uuid::Uuid;

/// Whether this mistake is to be made.
#[cfg(feature = "planted-faults")]
pub fn is(name: &str) -> bool {
    use std::sync::LazyLock;
    static CHOSEN: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("DIPPER_FAULT").ok());
    CHOSEN.as_deref() == Some(name)
}

/// Whether this mistake is to be made: never, and the compiler leaves it out.
#[cfg(not(feature = "planted-faults"))]
pub const fn is(_: &str) -> bool {
    false
}

/// The same event under another id: its message id and body.
pub(crate) fn with_another_id(body: &str) -> (String, String) {
    let id = Uuid::new_v4().to_string();
    let mut event: Value = serde_json::from_str(body).unwrap_or_default();
    if let Some(fields) = event.as_object_mut() {
        fields.insert("id".to_owned(), id.clone().into());
    }
    (id, event.to_string())
}

#[cfg(all(test, not(feature = "planted-faults")))]
mod tests {
    #[test]
    fn a_build_without_the_feature_makes_no_mistake() {
        const { assert!(!super::is("no-inbox")) }
    }
}
