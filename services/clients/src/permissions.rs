//! Who may do what at the broker: the catalogue says it of events, each question of itself.

use chassis::nats_server::{Permissions, logins, logins_for_one_machine};
use chassis::rpc::asked::Asked;

use crate::auth::{
    CreateAccount, EndSessions, MailSecret, Reauthenticate, SendCode, SetRole, ShowAccount,
    Suspend, VerifyToken,
};
use crate::import::{
    AnyKnown, BeginImport, EndImport, PhotoPart, RatingsGiven, ReturnCredential, ReturnEvents,
    ReturnIdentity,
};
use crate::moderation::{DecideCase, ListCases};
use crate::notifier::QueueAccountMail;
use crate::statistics::{ForgetImages, Overview};
use crate::tick::{BeginErasure, ScoredByOthers};
use crate::user::{
    Address, ConfirmAddress, ExtendErasure, FindByEmail, FindOrCreate, ListErasures, ListExports,
    ListReceipts, MayScore, NewAddress, OpenErasure, RetryErasure, SetNotifications, ShowReceipt,
};

/// Every login of a deployment.
pub fn all() -> Vec<Permissions> {
    logins(&questions())
}

/// Every login of an instance that runs on one machine.
pub fn on_one_machine() -> Vec<Permissions> {
    logins_for_one_machine(&questions())
}

/// The questions that one service answers.
fn questions() -> Vec<Asked> {
    [of_auth(), of_user(), of_import(), of_others()].concat()
}

fn of_auth() -> Vec<Asked> {
    vec![
        Asked::of::<VerifyToken>(),
        Asked::of::<Reauthenticate>(),
        Asked::of::<SendCode>(),
        Asked::of::<EndSessions>(),
        Asked::of::<CreateAccount>(),
        Asked::of::<SetRole>(),
        Asked::of::<ShowAccount>(),
        Asked::of::<Suspend>(),
        Asked::of::<MailSecret>(),
    ]
}

fn of_user() -> Vec<Asked> {
    vec![
        Asked::of::<FindOrCreate>(),
        Asked::of::<FindByEmail>(),
        Asked::of::<Address>(),
        Asked::of::<NewAddress>(),
        Asked::of::<ConfirmAddress>(),
        Asked::of::<SetNotifications>(),
        Asked::of::<MayScore>(),
        Asked::of::<OpenErasure>(),
        Asked::of::<ListErasures>(),
        Asked::of::<ListExports>(),
        Asked::of::<ListReceipts>(),
        Asked::of::<ShowReceipt>(),
        Asked::of::<ExtendErasure>(),
        Asked::of::<RetryErasure>(),
    ]
}

fn of_import() -> Vec<Asked> {
    vec![
        Asked::of::<BeginImport>(),
        Asked::of::<AnyKnown>(),
        Asked::of::<PhotoPart>(),
        Asked::of::<RatingsGiven>(),
        Asked::of::<ReturnEvents>(),
        Asked::of::<ReturnIdentity>(),
        Asked::of::<ReturnCredential>(),
        Asked::of::<EndImport>(),
    ]
}

fn of_others() -> Vec<Asked> {
    vec![
        Asked::of::<BeginErasure>(),
        Asked::of::<ScoredByOthers>(),
        Asked::of::<QueueAccountMail>(),
        Asked::of::<Overview>(),
        Asked::of::<ForgetImages>(),
        Asked::of::<ListCases>(),
        Asked::of::<DecideCase>(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_publish(login: &str, subject: &str) -> bool {
        let all = all();
        let one = all.iter().find(|one| one.login == login).unwrap();
        one.publish.allow.contains(subject)
    }

    #[test]
    fn only_the_notifier_learns_addresses() {
        for one in all() {
            let asks = one.publish.allow.contains("svc.user-api.address");
            assert_eq!(asks, one.login == "notifier", "{}", one.login);
        }
    }

    #[test]
    fn who_asks_for_an_import_is_at_the_command_line() {
        assert!(may_publish("operator", "svc.user-api.return-events"));
        assert!(!may_publish("tick-api", "svc.user-api.return-events"));
    }

    #[test]
    fn on_one_machine_only_may_others_keep_the_inbox_of_their_library() {
        let keeps = |one: &Permissions| one.subscribe.allow.contains("_INBOX.>");
        assert!(on_one_machine().iter().all(keeps));
        assert!(!all().iter().any(keeps));
    }
}
