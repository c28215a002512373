//! The runtime that all services share, with a real broker and on both databases.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

/// Makes two tests of each journey: what holds on one database holds on the other.
macro_rules! on_both_databases {
    ($($journey:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $journey() {
                let world = $crate::world::World::on_sqlite().await;
                super::$journey(&world).await;
                world.end().await;
            })+
        }

        mod on_postgres {
            $(#[tokio::test]
            async fn $journey() {
                let world = $crate::world::World::on_postgres().await;
                super::$journey(&world).await;
                world.end().await;
            })+
        }
    };
}

mod audit;
mod broker;
mod changes;
mod consumers;
mod dead_letters;
mod effects;
mod erased_people;
mod failures;
mod group_commit;
mod kills;
mod notifier;
mod operators;
mod order;
mod projections;
mod questions;
mod ratings;
mod redrive;
mod relay;
mod repetition;
mod scrub;
mod streams;
mod tables;
mod versions;
mod world;
