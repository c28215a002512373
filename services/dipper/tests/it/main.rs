//! The whole program, end to end: through HTTP, with a real broker, real databases and real mail.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod address;
mod age;
mod analysis;
mod architecture;
mod attacks;
mod backup;
mod bad_input;
mod broker_attacks;
mod canary;
mod catalogue;
mod cluster;
mod consents;
mod corrections;
mod data_map;
mod dead_letters;
mod decisions;
mod dedupe;
mod deploy;
mod doctor;
mod durability;
mod erasable;
mod erase_cluster;
mod erase_postgres;
mod erase_scan;
mod erasure;
mod events;
mod export;
mod faults;
mod figures;
mod hostile;
mod import;
mod inspection;
mod keys;
mod kills;
mod limits;
mod live;
mod mails;
mod moderation;
mod oidc;
mod pages;
mod passwords;
mod pictures;
mod places;
mod reauthentication;
mod rebuild;
mod receipt;
mod rectification;
mod retention;
mod round;
mod second_factor;
mod session_cookie;
mod setup;
mod spans;
mod suspension;
mod traces;
mod waiting;
