//! An erasure while a mail to its person is being handed to a mail server that takes its time.

use mail_catcher::{Fault, MailCatcher};
use serde_json::Value;
use tempfile::TempDir;
use testkit::{Api, Mailbox, Running, eventually};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{erase, rate};
use crate::canary::Canary;
use crate::round::rating_mails;
use crate::setup::up;

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_the_server_had_not_taken_is_broken_off_and_named() {
    let scene = Scene::begin(Fault::Stall).await;
    let status = erase(&scene.api, &scene.canary.birder).await;
    let named = &of_notifier(&status)["mails_under_way"];
    assert_eq!(named.as_array().map(Vec::len), Some(1), "{status}");
    assert_eq!(scene.end().await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_the_server_had_taken_in_whole_arrives_and_is_named() {
    let scene = Scene::begin(Fault::StallAfterData).await;
    let status = erase(&scene.api, &scene.canary.birder).await;
    let mails = scene.end().await;
    assert_eq!(mails.len(), 1);
    let sent = mails[0]["headers"]["Message-ID"].as_str().unwrap();
    let named = of_notifier(&status)["mails_under_way"][0].as_str();
    assert!(sent.contains(named.unwrap()), "{sent} {status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stalled_gets_the_mails_of_others_afterwards() {
    let scene = Scene::begin(Fault::Stall).await;
    erase(&scene.api, &scene.canary.birder).await;
    scene.catcher.fault(Fault::None);
    // Each of them gets the mail that confirms the address.
    for name in ["Ada", "Ben", "Cyd"] {
        scene.api.join(name).await;
    }
    scene.end().await;
}

/// Somebody whose mail about a rating has just met a mail server that stalls.
struct Scene {
    api: Api,
    canary: Canary,
    catcher: MailCatcher,
    running: Running,
    end: CancellationToken,
    end_of_server: JoinHandle<anyhow::Result<()>>,
    _folders: [TempDir; 2],
}

impl Scene {
    async fn begin(stall: Fault) -> Self {
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let catcher = MailCatcher::open(folders[1].path()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let smtp = format!("smtp://{}", listener.local_addr().unwrap());
        let end = CancellationToken::new();
        let (sink, ending) = (catcher.clone(), end.clone());
        let end_of_server = tokio::spawn(async move { sink.serve_smtp(listener, ending).await });
        let running = up(folders[0].path())
            .env("DIPPER_SMTP_URL", &smtp)
            .start()
            .await;
        let listener = vec![(String::new(), running.url.clone())];
        let api = Api::spread(listener, Mailbox::Catcher(catcher.clone()));
        let rater = api.join("Eve").await;
        let canary = Canary::join(&api).await;
        catcher.fault(stall);
        rate(&api, &rater, canary.image, 4).await;
        eventually("the mail is on its way", || async {
            (catcher.stalled() == 1).then_some(())
        })
        .await;
        Self {
            api,
            canary,
            catcher,
            running,
            end,
            end_of_server,
            _folders: folders,
        }
    }

    /// Ends the stall and everything: the mails about ratings that arrived.
    async fn end(self) -> Vec<Value> {
        self.catcher.fault(Fault::None);
        assert_eq!(self.running.stop().await, Some(0));
        self.end.cancel();
        eventually("the mail server has ended what it was at", || async {
            self.end_of_server.is_finished().then_some(())
        })
        .await;
        rating_mails(&self.api, &self.canary.birder).await
    }
}

fn of_notifier(status: &Value) -> &Value {
    let services = status["receipt"]["services"].as_array().unwrap();
    let is_notifier = |service: &&Value| service["name"] == "notifier";
    services.iter().find(is_notifier).unwrap()
}
