//! What we depend on goes away and comes back: accepted work waits and goes on.

use std::time::Duration;

use mail_catcher::MailCatcher;
use serde_json::json;
use testkit::{Api, eventually};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::round::{rating_mails, tick_a_bird};
use crate::setup::up;

#[tokio::test(flavor = "multi_thread")]
async fn ticks_are_accepted_while_the_broker_is_down_and_counted_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let running = up(folder.path()).start().await;
    let api = Api::new(&running.url);
    let owner = api.join("Olga").await;
    tick_a_bird(&api, &owner).await;
    let (_, url) = api.upload(&owner, testkit::PHOTO).await;

    let pid = std::fs::read_to_string(folder.path().join("nats/nats-server.pid")).unwrap();
    let killed = tokio::process::Command::new("kill")
        .args(["-9", pid.trim()])
        .status()
        .await
        .unwrap();
    assert!(killed.success());
    // Durable in the database, whatever the broker does.
    let accepted = eventually("a tick is accepted", || async {
        let answer = api
            .post_as(&owner, "/api/v1/ticks", &json!({"image": {"url": url}}))
            .await;
        (answer.status == 201).then_some(answer)
    })
    .await;
    assert!(accepted.json["id"].is_string());
    eventually("both ticks are counted", || async {
        (api.figures().await["ticks"] == 2).then_some(())
    })
    .await;
    assert_eq!(running.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_whose_keeper_was_killed_comes_back_alone() {
    let folder = tempfile::tempdir().unwrap();
    let running = up(folder.path()).start().await;
    let api = Api::new(&running.url);
    let owner = api.join("Olga").await;
    let pid_file = folder.path().join("nats/nats-server.pid");
    let before = std::fs::read_to_string(&pid_file).unwrap();
    let keeper = std::fs::read_to_string(format!("/proc/{}/status", before.trim()))
        .unwrap()
        .lines()
        .find_map(|line| Some(line.strip_prefix("PPid:")?.trim().to_owned()))
        .unwrap();
    let killed = tokio::process::Command::new("kill")
        .args(["-9", &keeper])
        .status()
        .await
        .unwrap();
    assert!(killed.success());
    eventually("another server is there", || async {
        let now = std::fs::read_to_string(&pid_file).ok()?;
        (now != before && !now.is_empty()).then_some(())
    })
    .await;
    // A process that ended, and that nobody waited for yet, has an empty command line.
    let still_runs = std::fs::read(format!("/proc/{}/cmdline", before.trim()))
        .is_ok_and(|command_line| !command_line.is_empty());
    assert!(!still_runs, "two servers share a store");
    eventually("it is ready again", || async {
        (api.get("/readyz").await.status == 200).then_some(())
    })
    .await;
    tick_a_bird(&api, &owner).await;
    assert_eq!(running.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_waits_for_the_mail_server() {
    let folder = tempfile::tempdir().unwrap();
    let mail_folder = tempfile::tempdir().unwrap();
    let catcher = MailCatcher::open(mail_folder.path()).unwrap();
    // A port where nobody listens yet.
    let address = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let running = up(folder.path())
        .env("DIPPER_SMTP_URL", &format!("smtp://{address}"))
        .start()
        .await;
    let api = Api::spread(
        vec![(String::new(), running.url.clone())],
        testkit::Mailbox::Catcher(catcher.clone()),
    );
    let joining = tokio::spawn({
        let api = api.clone();
        async move { (api.join("Olga").await, api.join("Rolf").await) }
    });
    assert!(
        tokio::time::timeout(Duration::from_secs(2), async {
            while !joining.is_finished() {
                tokio::task::yield_now().await;
            }
        })
        .await
        .is_err(),
        "no mail, no confirmation"
    );

    let end = CancellationToken::new();
    let listener = TcpListener::bind(address).await.unwrap();
    let sink = tokio::spawn({
        let (catcher, end) = (catcher.clone(), end.clone());
        async move { catcher.serve_smtp(listener, end).await }
    });
    let (owner, rater) = joining.await.unwrap();
    let (image, _) = tick_a_bird(&api, &owner).await;
    api.put_as(
        &rater,
        &format!("/api/v1/images/{image}/rating"),
        &json!({"rating": 4}),
    )
    .await
    .expect(200);
    eventually("the mail about the rating arrives", || async {
        (rating_mails(&api, &owner).await.len() == 1).then_some(())
    })
    .await;
    assert_eq!(running.stop().await, Some(0));
    end.cancel();
    sink.await.unwrap().unwrap();
}
