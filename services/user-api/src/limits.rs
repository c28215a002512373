//! How somebody limits what is done with their data: restriction (Art. 18 GDPR) and objection by purpose (Art. 21).

use chassis::database::Session;
use chassis::unit_of_work::{Draft, Work};
use clients::user::Notifications;
use envelope::{UserId, user};

use crate::App;
use crate::error::Error;
use crate::identity;
use crate::store::limits::{self, Standing, Wish};

/// All that a person limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// What others have to heed.
    pub wish: Wish,
    /// They want no mail about ratings: the same as notifications that are off.
    pub mail: bool,
}

/// What stands of a person.
pub(crate) async fn find(app: &App, user: UserId) -> Result<Limits, Error> {
    identity::require_not_erased(app, user).await?;
    read(&mut app.database.read().await?, user).await
}

/// Puts a person's limits in the place of those before, and tells the other services if they have to know.
pub(crate) async fn change(app: &App, user: UserId, wanted: Limits) -> Result<Limits, Error> {
    let mut work = app.database.begin().await?;
    if work.is_erased(user.0).await? {
        return Err(Error::Erased);
    }
    // First of all: two changes at the same time are told in the order in which they are made.
    let now = work.clock().micros();
    if limits::set(&mut work, user, wanted.wish, now).await? {
        tell(&mut work, user).await?;
    }
    let before = identity::notifications_of(&mut work, user).await?;
    let is_off = before == Notifications::Off;
    if is_off != wanted.mail {
        let now = if wanted.mail {
            Notifications::Off
        } else {
            Notifications::default()
        };
        identity::choose_notifications(&mut work, &app.vault, user, now).await?;
    }
    let limits = read(&mut work, user).await?;
    work.commit().await?;
    Ok(limits)
}

/// Tells the other services all that stands of a person.
pub(crate) async fn tell(work: &mut Work, user: UserId) -> Result<(), Error> {
    let Standing { wish, places } = limits::find(work, user).await?;
    let event = user::Limit {
        user: user.into(),
        restricted: wish.restricted,
        objections: user::Objections {
            scoring: wish.scoring,
            statistics: wish.statistics,
        },
        withdrawn: user::Withdrawn { places },
    };
    work.publish(Draft::new(event))?;
    Ok(())
}

async fn read(session: &mut Session, user: UserId) -> Result<Limits, Error> {
    let notifications = identity::notifications_of(session, user).await?;
    Ok(Limits {
        wish: limits::find(session, user).await?.wish,
        mail: notifications == Notifications::Off,
    })
}
