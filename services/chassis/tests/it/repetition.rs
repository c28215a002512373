//! Whatever comes again, in whichever order and version, and whatever fails on the way: each
//! event has its effect exactly once.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

use crate::notifier::{Notifier, Trouble};
use crate::ratings::Rated;
use crate::world::World;

const EVENTS: usize = 6;
const CASES: u32 = 10;

/// What happens: which of the events fail at first, and what comes, in which version.
#[derive(Clone, Debug)]
struct Course {
    hiccups: Vec<usize>,
    deliveries: Vec<(usize, bool)>,
}

fn courses() -> impl Strategy<Value = Course> {
    let hiccups = prop::collection::vec(0_usize..3, EVENTS);
    let deliveries = prop::collection::vec((0..EVENTS, any::<bool>()), 1..40);
    (hiccups, deliveries).prop_map(|(hiccups, deliveries)| Course {
        hiccups,
        deliveries,
    })
}

async fn take(world: &World, notifier: &Notifier, course: &Course) -> Result<(), TestCaseError> {
    let events: Vec<Rated> = (0..EVENTS).map(|_| Rated::new()).collect();
    for (rated, hiccups) in events.iter().zip(&course.hiccups) {
        notifier.will_meet(rated.id, vec![Trouble::Hiccup; *hiccups]);
    }
    for (place, is_old) in &course.deliveries {
        let rated = &events[*place];
        let event = if *is_old {
            rated.as_v1()
        } else {
            rated.as_v2()
        };
        world.broker.publish_anew(&event).await;
    }
    world.is_settled("RATE", "notifier").await;
    prop_assert_eq!(world.broker.count("DEAD").await, Some(0));
    for (place, rated) in events.iter().enumerate() {
        let came = course.deliveries.iter().any(|(event, _)| *event == place);
        prop_assert_eq!(world.effects_of(rated.id.0).await, i64::from(came));
    }
    Ok(())
}

fn each_event_has_its_effect_exactly_once(runtime: &Runtime, world: World) {
    let notifier = runtime.block_on(Notifier::start(&world));
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(CASES)
    });
    runner
        .run(&courses(), |course| {
            runtime.block_on(take(&world, &notifier, &course))
        })
        .unwrap();
    runtime.block_on(world.end());
}

#[test]
fn each_event_has_its_effect_exactly_once_on_sqlite() {
    let runtime = Runtime::new().unwrap();
    let world = runtime.block_on(World::on_sqlite());
    each_event_has_its_effect_exactly_once(&runtime, world);
}

#[test]
fn each_event_has_its_effect_exactly_once_on_postgres() {
    let runtime = Runtime::new().unwrap();
    let world = runtime.block_on(World::on_postgres());
    each_event_has_its_effect_exactly_once(&runtime, world);
}
