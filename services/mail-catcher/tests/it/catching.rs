use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use lettre::AsyncTransport as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::running::{mail, start};

#[tokio::test]
async fn a_mail_with_text_and_html_arrives_decoded() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path()).await;
    let text = format!("Hallo Zoë,\r\n{}\r\n", "a long line of birds ".repeat(80));
    running
        .send(mail("1@example.test", &text, "<p>Hallo <b>Zoë</b></p>"))
        .await
        .unwrap();

    let [message] = running.catcher.messages().try_into().unwrap();
    assert_eq!(message.to, "zoe@example.test");
    assert_eq!(message.subject, "Grüße: please confirm");
    assert_eq!(
        message.text.as_deref().map(str::trim_end),
        Some(text.trim_end())
    );
    assert_eq!(
        message.html.as_deref().map(str::trim_end),
        Some("<p>Hallo <b>Zoë</b></p>")
    );
    assert_eq!(message.headers["To"], "Zoë Bird <zoe@example.test>");
    assert_eq!(message.headers["Return-Path"], "<noreply@example.test>");
    running.stop().await;
}

#[tokio::test]
async fn a_mail_handed_over_twice_is_kept_once() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path()).await;
    running
        .send(mail("1@example.test", "first", "first"))
        .await
        .unwrap();
    running
        .send(mail("1@example.test", "first, sent again", "first"))
        .await
        .unwrap();
    running
        .send(mail("2@example.test", "second", "second"))
        .await
        .unwrap();

    let texts: Vec<_> = running
        .catcher
        .messages()
        .into_iter()
        .filter_map(|message| message.text)
        .collect();
    assert_eq!(texts, ["second", "first"]);
    running.stop().await;
}

#[tokio::test]
async fn a_mail_handed_over_on_many_connections_at_once_is_kept_once() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path()).await;
    let client = running.client();
    let sends = (0..80).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            client
                .send(mail("1@example.test", "text", "html"))
                .await
                .unwrap();
        })
    });
    for send in sends.collect::<Vec<_>>() {
        send.await.unwrap();
    }
    assert_eq!(running.catcher.messages().len(), 1);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    running.stop().await;
}

#[tokio::test]
async fn lines_that_begin_with_dots_survive() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path()).await;
    let text = ".\r\n..\r\n.hidden\r\nend.";
    running
        .send(mail("1@example.test", text, "x"))
        .await
        .unwrap();
    let [message] = running.catcher.messages().try_into().unwrap();
    assert_eq!(message.text.as_deref().map(str::trim_end), Some(text));
    running.stop().await;
}

#[tokio::test]
async fn mails_survive_a_restart_and_are_still_known() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path()).await;
    running
        .send(mail("1@example.test", "text", "html"))
        .await
        .unwrap();
    let before = running.catcher.messages();
    running.stop().await;

    let running = start(folder.path()).await;
    assert_eq!(running.catcher.messages(), before);
    running
        .send(mail("1@example.test", "text", "html"))
        .await
        .unwrap();
    assert_eq!(running.catcher.messages(), before);
    running.stop().await;
}

#[tokio::test]
async fn garbage_ends_its_own_connection_only() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path()).await;
    let address = running.smtp;
    let answers = tokio::task::spawn_blocking(move || {
        let garbage: Vec<u8> = (0..200_000_u32)
            .map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()[1])
            .collect();
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        // The catcher may hang up in the middle of it.
        let _ = stream
            .write_all(&garbage)
            .and_then(|()| stream.shutdown(std::net::Shutdown::Write));
        let mut answers = Vec::new();
        let _ = stream.read_to_end(&mut answers);
        answers
    });
    assert!(answers.await.unwrap().starts_with(b"220 "));
    running
        .send(mail("1@example.test", "text", "html"))
        .await
        .unwrap();
    assert_eq!(running.catcher.messages().len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn more_connections_than_allowed_wait_for_their_turn() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path()).await;
    let mut idle = Vec::new();
    for _ in 0..64 {
        let stream = TcpStream::connect(running.smtp).await.unwrap();
        stream.readable().await.unwrap();
        idle.push(stream);
    }
    let next = TcpStream::connect(running.smtp).await.unwrap();
    timeout(Duration::from_millis(100), next.readable())
        .await
        .unwrap_err();
    idle.pop();
    next.readable().await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn no_mail_waits_for_a_delayed_acknowledgement() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path()).await;
    let client = running.client();
    let mut times = Vec::new();
    for number in 0..20 {
        let mail = mail(&format!("{number}@example.test"), "text", "html");
        let begin = Instant::now();
        client.send(mail).await.unwrap();
        times.push(begin.elapsed());
    }
    times.sort();
    // The kernel delays for 40 ms at least; a loaded machine may hold up some of them, not most.
    assert!(times[10] < Duration::from_millis(40), "{times:?}");
    running.stop().await;
}
