//! A login is used for what it may not: everything is refused, and a service of ours that is refused something ends.

use std::path::Path;
use std::time::{Duration, Instant};

use async_nats::{Client, Event, ServerAddr, ServerError};
use chassis::nats_server::{Credentials, NatsServer};
use testkit::{eventually, nats_server};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use uuid::Uuid;

use crate::setup::{System, serve};

/// What somebody tries with a login.
#[derive(Clone, Copy, Debug)]
enum Act {
    Publish(&'static str),
    Subscribe(&'static str),
}

use Act::{Publish, Subscribe};

const SERVICES: [&str; 7] = testkit::broker::SERVICES;

/// What nobody may do, not even who reads all.
const NOBODY: [Act; 12] = [
    Publish("$JS.API.STREAM.PURGE.TICK"),
    Publish("$JS.ACK.TICK.score-model.1.7.7.1.0"),
    Publish("$JS.API.CONSUMER.MSG.NEXT.TICK.score-model"),
    Publish("$JS.API.CONSUMER.DELETE.RATE.statistics"),
    Publish("$JS.API.CONSUMER.CREATE.RATE.statistics"),
    Publish("tick"),
    Publish("somebody.elses.subject"),
    Publish("_INBOX_user_api.made.up"),
    Subscribe(">"),
    Subscribe("*.>"),
    Subscribe("svc.>"),
    Subscribe("_INBOX_user_api.>"),
];

/// What this login may not do and another one may.
const ATTACKS: [(&str, Act); 31] = [
    // Forging.
    ("auth-api", Publish("gdpr.delete.v1.KEY")),
    ("user-api", Publish("gdpr.delete.v1.KEY")),
    ("score-model", Publish("gdpr.delete.v1.KEY")),
    ("notifier", Publish("gdpr.delete.v1.KEY")),
    ("statistics", Publish("gdpr.delete.v1.KEY")),
    ("admin-api", Publish("gdpr.delete.v1.KEY")),
    ("operator", Publish("gdpr.delete.v1.KEY")),
    ("setup", Publish("gdpr.delete.v1.KEY")),
    ("score-model", Publish("gdpr.purged.v1.KEY")),
    ("tick-api", Publish("score.update.v1.KEY")),
    ("tick-api", Publish("admin.audit.v1.KEY")),
    ("tick-api", Publish("gdpr.erased.v1.KEY")),
    ("notifier", Publish("rate.update.v2.KEY")),
    // Deleting.
    ("tick-api", Publish("$JS.API.STREAM.MSG.DELETE.TICK")),
    ("operator", Publish("$JS.API.STREAM.MSG.DELETE.TICK")),
    ("tick-api", Publish("$JS.API.STREAM.DELETE.TICK")),
    ("operator", Publish("$JS.API.STREAM.DELETE.TICK")),
    ("tick-api", Publish("$JS.API.STREAM.UPDATE.TICK")),
    // Sniffing.
    ("score-model", Subscribe("tick.>")),
    ("score-model", Publish("$JS.API.STREAM.MSG.GET.USER")),
    ("notifier", Publish("$JS.API.DIRECT.GET.USER")),
    ("notifier", Publish("$JS.API.CONSUMER.CREATE.USER.notifier")),
    ("notifier", Publish("$JS.API.CONSUMER.CREATE.TICK.spy")),
    ("tick-api", Publish("$JS.API.STREAM.SNAPSHOT.TICK")),
    // Asking for what one may not, and answering for others.
    ("tick-api", Publish("svc.user-api.address")),
    ("statistics", Publish("svc.auth-api.create-account")),
    ("tick-api", Publish("svc.auth-api.set-role")),
    ("notifier", Publish("svc.user-api.return-events")),
    ("operator", Publish("svc.user-api.address")),
    ("notifier", Subscribe("svc.auth-api.verify-token")),
    ("operator", Subscribe("svc.user-api.address")),
];

/// What the same logins are for.
const ALLOWED: [(&str, Act); 8] = [
    ("tick-api", Publish("gdpr.delete.v1.KEY")),
    ("tick-api", Publish("rate.update.v1.KEY")),
    ("score-model", Publish("score.update.v1.KEY")),
    ("user-api", Publish("$JS.API.STREAM.MSG.DELETE.TICK")),
    ("notifier", Publish("svc.user-api.address")),
    ("operator", Publish("$JS.API.STREAM.MSG.GET.USER")),
    ("operator", Subscribe("gdpr.>")),
    ("auth-api", Subscribe("svc.auth-api.verify-token")),
];

/// A program that has got hold of a login.
struct Intruder {
    client: Client,
    refusals: Mutex<UnboundedReceiver<String>>,
}

impl Intruder {
    async fn with(credentials: &Credentials, login: &str) -> Self {
        let (tell, refusals) = unbounded_channel();
        let login = &credentials.users[login];
        let server: ServerAddr = credentials.url.parse().unwrap();
        let options = async_nats::ConnectOptions::new()
            .user_and_password(login.user.clone(), login.password.clone())
            .event_callback(move |event| {
                if let Event::ServerError(ServerError::Other(text)) = event {
                    // Who does not listen any more has seen enough.
                    let _ = tell.send(text);
                }
                std::future::ready(())
            });
        Self {
            client: options.connect(server).await.unwrap(),
            refusals: Mutex::new(refusals),
        }
    }

    /// Tries it, and then something that is refused for certain: what is told before that is the answer.
    async fn is_refused(&self, act: Act) -> bool {
        match act {
            Publish(subject) => {
                let subject = subject.replace("KEY", &Uuid::new_v4().to_string());
                // Never valid: who may publish it does no harm.
                self.client
                    .publish(subject, "no event".into())
                    .await
                    .unwrap();
            }
            Subscribe(subject) => drop(self.client.subscribe(subject).await.unwrap()),
        }
        let last = format!("not.for.anybody.{}", Uuid::new_v4());
        self.client.publish(last.clone(), "".into()).await.unwrap();
        let mut refusals = self.refusals.lock().await;
        let mut is_refused = false;
        loop {
            let told = tokio::time::timeout(Duration::from_mins(1), refusals.recv());
            let text = told.await.expect("the broker answers").unwrap();
            if text.contains(&last) {
                return is_refused;
            }
            assert!(text.starts_with("Permissions Violation"), "{text}");
            is_refused = true;
        }
    }
}

/// What `DipperLoginMisused` goes by: no process of ours was refused anything.
async fn is_counted(system: &System, login: &str) {
    let counter = format!("dipper_broker_log_refusals_total{{login=\"{login}\"}} ");
    eventually("the refusals are counted", || async {
        let figures = system.api.get("/metrics").await.expect(200).bytes;
        String::from_utf8_lossy(&figures)
            .contains(&counter)
            .then_some(())
    })
    .await;
}

fn credentials_in(folder: &Path) -> Credentials {
    Credentials::read(&folder.join("nats").join("credentials.json")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_does_what_it_is_for_and_is_refused_everything_else() {
    let system = System::up().await;
    let credentials = credentials_in(system.folder());
    let mut passed = 0;
    for login in SERVICES.into_iter().chain(["operator"]) {
        let intruder = Intruder::with(&credentials, login).await;
        for act in NOBODY {
            let own_inbox = login == "user-api" && matches!(act, Subscribe("_INBOX_user_api.>"));
            let own_place = matches!(
                (login, act),
                (
                    "score-model",
                    Publish(
                        "$JS.ACK.TICK.score-model.1.7.7.1.0"
                            | "$JS.API.CONSUMER.MSG.NEXT.TICK.score-model"
                    )
                ) | (
                    "statistics",
                    Publish("$JS.API.CONSUMER.CREATE.RATE.statistics")
                )
            );
            let expected = !own_inbox && !own_place;
            assert_eq!(intruder.is_refused(act).await, expected, "{login} {act:?}");
            passed += 1;
        }
    }
    for (login, act) in ATTACKS {
        let intruder = Intruder::with(&credentials, login).await;
        assert!(intruder.is_refused(act).await, "{login} {act:?}");
        passed += 1;
    }
    for (login, act) in ALLOWED {
        let intruder = Intruder::with(&credentials, login).await;
        assert!(!intruder.is_refused(act).await, "{login} {act:?}");
        passed += 1;
    }
    assert!(
        passed >= ATTACKS.len() + ALLOWED.len(),
        "{passed} passed, 0 failed"
    );
    for login in SERVICES.into_iter().chain(["operator"]) {
        is_counted(&system, login).await;
    }
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_refused_something_ends_at_once_and_names_it() {
    const NEEDED: &str = "$JS.API.CONSUMER.CREATE.TICK.score-model";
    let folder = tempfile::tempdir().unwrap();
    let mut permissions = testkit::broker::permissions();
    for one in &mut permissions {
        one.publish.allow.remove(NEEDED);
    }
    let nats = folder.path().join("nats");
    let program = nats_server();
    let broker = NatsServer::start(&program, &nats, &permissions);
    let broker = broker.await.unwrap();
    let began = Instant::now();
    let output = serve("score-model", folder.path()).output().await;
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let named = format!("the broker refuses score-model to publish to {NEEDED}");
    assert!(said.contains(&named), "{said}");
    // A question that nobody answers takes longer before anybody gives up.
    assert!(began.elapsed() < Duration::from_secs(30), "{said}");
    broker.stop().await.unwrap();
}
