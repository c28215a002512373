//! A small service that consumes ratings: notes each, and tells the image's owner.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use chassis::consumers::{Consumers, Deliveries, Delivery, Failure, Handled};
use chassis::database::Database;
use chassis::lifecycle::Lifecycle;
use chassis::sql;
use chassis::unit_of_work::{Draft, Work, WorkError};
use envelope::notification::{Email, SourceEvent};
use envelope::{EventId, UserId, gdpr, rate, score, tick, user};
use tokio::sync::Notify;

use crate::world::World;

/// What a handler may meet.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// Something that is over when it is tried again.
    Hiccup,
    /// Something that it depends on is away.
    Absence,
    /// An event that it can never handle.
    Poison,
}

/// The service's state: what troubles are ahead of which events.
#[derive(Clone, Debug, Default)]
pub struct Notifier {
    ahead: Arc<Mutex<HashMap<EventId, VecDeque<Trouble>>>>,
    handled: Arc<Mutex<Vec<EventId>>>,
    gate: Arc<Mutex<Option<Gate>>>,
}

/// Holds a handler up in the middle of its work.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    reached: Arc<Notify>,
    opened: Arc<Notify>,
}

impl Gate {
    /// Waits until a handler stands before it.
    pub async fn is_reached(&self) {
        self.reached.notified().await;
    }

    /// Lets one through.
    pub fn open(&self) {
        self.opened.notify_one();
    }
}

impl Notifier {
    /// Lets the handling of an event meet troubles, one at each attempt.
    pub fn will_meet(&self, event: EventId, troubles: impl IntoIterator<Item = Trouble>) {
        let troubles = troubles.into_iter().collect();
        self.ahead.lock().unwrap().insert(event, troubles);
    }

    /// Whether all the troubles of an event are over.
    pub fn is_through(&self, event: EventId) -> bool {
        let ahead = self.ahead.lock().unwrap();
        ahead.get(&event).is_none_or(VecDeque::is_empty)
    }

    /// Holds every handler up in the middle of its work.
    pub fn close_gate(&self) -> Gate {
        let gate = Gate::default();
        *self.gate.lock().unwrap() = Some(gate.clone());
        gate
    }

    /// Lets all handlers pass again.
    pub fn remove_gate(&self) {
        if let Some(gate) = self.gate.lock().unwrap().take() {
            gate.open();
        }
    }

    /// How many troubles are still ahead.
    pub fn troubles_left(&self) -> usize {
        self.ahead.lock().unwrap().values().map(VecDeque::len).sum()
    }

    /// Which events were handled without a trouble, in that order.
    pub fn handled(&self) -> Vec<EventId> {
        self.handled.lock().unwrap().clone()
    }

    /// Forgets the troubles that are still ahead: somebody repaired what was wrong.
    pub fn repair(&self) {
        self.ahead.lock().unwrap().clear();
    }

    async fn pass_gate(&self) {
        let gate = self.gate.lock().unwrap().clone();
        if let Some(gate) = gate {
            gate.reached.notify_one();
            gate.opened.notified().await;
        }
    }

    fn meet(&self, event: EventId) -> Result<(), Failure> {
        let mut ahead = self.ahead.lock().unwrap();
        let trouble = ahead.get_mut(&event).and_then(VecDeque::pop_front);
        match trouble {
            None => {
                self.handled.lock().unwrap().push(event);
                Ok(())
            }
            Some(Trouble::Hiccup) => Err(Failure::Transient("a hiccup".to_owned())),
            Some(Trouble::Absence) => Err(Failure::Dependency("the mail server".to_owned())),
            Some(Trouble::Poison) => Err(Failure::Poison("this\nis\rtoo much".to_owned())),
        }
    }

    /// Begins to consume, one rating after the other.
    pub async fn start(world: &World) -> Self {
        let notifier = Self::default();
        notifier.run(world, Consumers::new().on(on_rating)).await;
        notifier
    }

    /// Begins to consume, many ratings together.
    pub async fn run_together(&self, world: &World) {
        self.run(world, Consumers::new().on_many(on_ratings)).await;
    }

    /// Begins to consume as a projection does, in the tables of another service.
    pub async fn project(&self, world: &World, database: &Database, lifecycle: &Lifecycle) {
        Consumers::new()
            .on(on_rating)
            .on(|_: Self, score: Delivery<score::Update>| async { Ok(score.done()) })
            .on(|_: Self, withdrawn: Delivery<rate::Withdrawn>| async { Ok(withdrawn.done()) })
            .on(|_: Self, request: Delivery<gdpr::Delete>| async { Ok(request.done()) })
            .on(|_: Self, wish: Delivery<user::Limit>| async { Ok(wish.done()) })
            .with_state(self.clone(), database.clone())
            .run(&world.broker.connect("tick-api").await, lifecycle)
            .await
            .unwrap();
    }

    /// Begins to consume, one rating after the other, until a stop of its own.
    pub async fn work(&self, world: &World, lifecycle: &Lifecycle) {
        let table = Consumers::new().on(on_rating);
        self.run_until(world, table, lifecycle).await;
    }

    async fn run(&self, world: &World, table: Consumers<Self>) {
        self.run_until(world, table, &world.broker.lifecycle).await;
    }

    async fn run_until(&self, world: &World, table: Consumers<Self>, lifecycle: &Lifecycle) {
        table
            .on(|_: Self, tick: Delivery<tick::New>| async { Ok(tick.done()) })
            .on(|_: Self, tick: Delivery<tick::Update>| async { Ok(tick.done()) })
            .on(|_: Self, withdrawn: Delivery<rate::Withdrawn>| async { Ok(withdrawn.done()) })
            .on(|_: Self, request: Delivery<gdpr::Delete>| async { Ok(request.done()) })
            .with_state(self.clone(), world.database.clone())
            .run(&world.broker.bus, lifecycle)
            .await
            .unwrap();
    }
}

/// The trouble comes last, so that there is something to undo.
async fn on_rating(app: Notifier, mut delivery: Delivery<rate::Rated>) -> Result<Handled, Failure> {
    let (event, rated, cause) = (delivery.id, delivery.event, delivery.cause());
    note(delivery.work(), event, rated.rating.into()).await?;
    if let Some(owner) = rated.owner {
        let mail = mail_to(owner, event);
        let told = Draft::caused_by("notifier", cause, mail);
        delivery.work().publish(told)?;
    }
    app.pass_gate().await;
    app.meet(event)?;
    Ok(delivery.done())
}

async fn on_ratings(
    app: Notifier,
    mut deliveries: Deliveries<rate::Rated>,
) -> Result<Handled, Failure> {
    let (received, work) = deliveries.parts();
    for one in received {
        note(work, one.id, one.event.rating.into()).await?;
        app.meet(one.id)?;
    }
    Ok(deliveries.done())
}

/// Notes that an event has its effect.
pub async fn note(work: &mut Work, event: EventId, rating: i64) -> Result<(), WorkError> {
    const NOTE: &str = "INSERT INTO effect (event_id, rating) VALUES ($1, $2)";
    sql!(work, c => sqlx::query(NOTE).bind(event.0).bind(rating).execute(c).await.map(drop))
        .map_err(chassis::database::DatabaseError::from)?;
    Ok(())
}

fn mail_to(owner: UserId, about: EventId) -> Email {
    Email {
        user: owner.into(),
        message_type: "rate.update".to_owned(),
        source_event: SourceEvent {
            name: "rate".to_owned(),
            id: about,
            kind: "update".to_owned(),
        },
    }
}
