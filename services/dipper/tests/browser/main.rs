//! The pages in a real browser: Chromium, driven by its keyboard and mouse as a person does.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod dashboard;
mod people;
mod playwright;
mod round;
mod screenshots;

/// The program under test.
const DIPPER: &str = env!("CARGO_BIN_EXE_dipper");
