//! Checking events against their schemas. The only place that knows the `jsonschema` validator.

use std::fmt;
use std::sync::LazyLock;

use jsonschema::{Draft, ValidationError, Validator};
use serde_json::Value;

use crate::{CATALOGUE, Contract, schemas};

/// How many violations are told of one event.
const TOLD: usize = 5;

/// One way in which an event breaks its schema; it never holds the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where, as a JSON pointer into the event.
    pub pointer: String,
    /// The keyword of the schema that is broken: `required`, `pattern`, ...
    pub keyword: String,
    /// What is wrong, without the value.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() {
            "/"
        } else {
            &self.pointer
        };
        write!(f, "{pointer}: {} ({})", self.message, self.keyword)
    }
}

/// Which of the two schemas of an event version is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// For publishing: nothing beyond what is declared.
    Closed,
    /// For consuming: data may hold more, and the minor may be a later one.
    Open,
}

struct Compiled {
    contract: &'static Contract,
    closed: LazyLock<Option<Validator>, Compile>,
    open: LazyLock<Option<Validator>, Compile>,
}

type Compile = Box<dyn FnOnce() -> Option<Validator> + Send>;

static COMPILED: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    let later = |contract, view| -> Compile { Box::new(move || compile(contract, view)) };
    let prepare = |&contract: &&'static Contract| Compiled {
        contract,
        closed: LazyLock::new(later(contract, View::Closed)),
        open: LazyLock::new(later(contract, View::Open)),
    };
    CATALOGUE.iter().map(prepare).collect()
});

fn compile(contract: &Contract, view: View) -> Option<Validator> {
    let mut schema = schemas::envelope(contract);
    if view == View::Open {
        schemas::open(&mut schema);
    }
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .offline()
        .build(&schema)
        .ok()
}

/// Checks a whole event against the schema of `contract`.
pub(crate) fn validate(
    contract: &Contract,
    view: View,
    event: &Value,
) -> Result<(), Vec<Violation>> {
    let compiled = COMPILED
        .iter()
        .find(|compiled| std::ptr::eq(compiled.contract, contract));
    let validator = compiled.and_then(|compiled| match view {
        View::Closed => compiled.closed.as_ref(),
        View::Open => compiled.open.as_ref(),
    });
    match validator {
        Some(validator) if validator.is_valid(event) => Ok(()),
        Some(validator) => Err(validator
            .iter_errors(event)
            .take(TOLD)
            .map(|error| told(&error))
            .collect()),
        None => Err(vec![no_schema()]),
    }
}

/// Not reached for a contract of the catalogue: a test compiles them all. Then better refuse than let pass.
fn no_schema() -> Violation {
    Violation {
        pointer: String::new(),
        keyword: "$schema".to_owned(),
        message: "the event type has no usable schema".to_owned(),
    }
}

/// The masked form: neither values nor the names of undeclared fields, for both may be personal.
fn told(error: &ValidationError<'_>) -> Violation {
    let keyword = error.kind().keyword().to_owned();
    let message = match keyword.as_str() {
        "additionalProperties" => "holds fields that are not declared".to_owned(),
        _ => error.masked().to_string(),
    };
    Violation {
        pointer: error.instance_path().to_string(),
        keyword,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_version_has_a_validator_in_both_views() {
        for contract in CATALOGUE {
            for view in [View::Closed, View::Open] {
                assert!(
                    compile(contract, view).is_some(),
                    "{} {view:?}",
                    schemas::path(contract)
                );
            }
        }
    }

    #[test]
    fn only_the_open_view_takes_more_than_is_declared() {
        for contract in CATALOGUE {
            let mut event = (contract.sample)();
            assert_eq!(
                validate(contract, View::Closed, &event),
                Ok(()),
                "{}",
                schemas::path(contract)
            );
            event["data"]["later"] = Value::Bool(true);
            assert_eq!(
                validate(contract, View::Open, &event),
                Ok(()),
                "{}",
                schemas::path(contract)
            );
            let refused = validate(contract, View::Closed, &event).unwrap_err();
            assert_eq!(
                refused[0].to_string(),
                "/data: holds fields that are not declared (additionalProperties)"
            );
        }
    }
}
