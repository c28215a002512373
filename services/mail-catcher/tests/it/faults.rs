use std::time::Duration;

use lettre::AsyncTransport as _;
use mail_catcher::Fault;
use tokio::time::timeout;

use crate::running::{mail, start};

#[tokio::test]
async fn refused_recipients_are_told_apart_as_temporary_and_permanent() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path()).await;
    running.catcher.fault(Fault::Temporary);
    assert!(
        running
            .send(mail("1@example.test", "text", "html"))
            .await
            .unwrap_err()
            .is_transient()
    );
    running.catcher.fault(Fault::Permanent);
    assert!(
        running
            .send(mail("1@example.test", "text", "html"))
            .await
            .unwrap_err()
            .is_permanent()
    );
    assert!(running.catcher.messages().is_empty());

    running.catcher.fault(Fault::None);
    running
        .send(mail("1@example.test", "text", "html"))
        .await
        .unwrap();
    running.stop().await;
}

#[tokio::test]
async fn a_stalled_mail_goes_on_when_the_stall_ends() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path()).await;
    running.catcher.fault(Fault::Stall);
    let client = running.client();
    let mut sending = tokio::spawn(async move {
        client
            .send(mail("1@example.test", "text", "html"))
            .await
            .map(drop)
    });
    let stalled = timeout(Duration::from_millis(100), &mut sending).await;
    assert!(stalled.is_err());
    running.catcher.fault(Fault::None);
    sending.await.unwrap().unwrap();
    assert_eq!(running.catcher.messages().len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_sender_whose_answer_was_lost_may_send_again_without_harm() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path()).await;
    running.catcher.fault(Fault::LoseAnswer);
    running
        .send(mail("1@example.test", "text", "html"))
        .await
        .unwrap_err();
    assert_eq!(running.catcher.messages().len(), 1);

    running.catcher.fault(Fault::None);
    running
        .send(mail("1@example.test", "text", "html"))
        .await
        .unwrap();
    assert_eq!(running.catcher.messages().len(), 1);
    running.stop().await;
}
