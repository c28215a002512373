use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::super::connection::LINE_LIMIT;
use super::super::{IDLE_LIMIT, SIZE_LIMIT};
use super::*;

/// A session in memory: its client's end, and what a test needs to look behind it.
struct Talk {
    client: DuplexStream,
    catcher: MailCatcher,
    shutdown: CancellationToken,
    session: JoinHandle<()>,
    home: tempfile::TempDir,
}

fn start(idle: Duration) -> Talk {
    let home = tempfile::tempdir().unwrap();
    let catcher = MailCatcher::open(home.path()).unwrap();
    let (client, server) = tokio::io::duplex(64 * 1024);
    let shutdown = CancellationToken::new();
    let connection = Connection::new(server, idle, shutdown.clone());
    let session = tokio::spawn(Session::new(catcher.clone(), connection).run());
    Talk {
        client,
        catcher,
        shutdown,
        session,
        home,
    }
}

/// Sends all of it at once, as a pipelining client may, and returns the codes of all answers and
/// the mails that were kept.
async fn outcome(talk: Talk, sent: &[u8]) -> (Vec<String>, Vec<crate::Message>) {
    let (mut reader, mut writer) = tokio::io::split(talk.client);
    let writing = async {
        // A session that has heard enough closes before it has read everything.
        let _ = writer.write_all(sent).await;
        let _ = writer.shutdown().await;
    };
    let mut answers = String::new();
    let (read, ()) = tokio::join!(reader.read_to_string(&mut answers), writing);
    read.unwrap();
    talk.session.await.unwrap();
    let codes = answers
        .lines()
        .filter(|line| line.as_bytes()[3] == b' ')
        .map(|line| line[..3].to_owned());
    (codes.collect(), talk.catcher.messages())
}

async fn codes_of(sent: &str) -> Vec<String> {
    outcome(start(IDLE_LIMIT), sent.as_bytes()).await.0
}

#[tokio::test]
async fn a_pipelined_mail_is_kept_with_its_envelope() {
    let talk = start(IDLE_LIMIT);
    let sent = b"EHLO me\r\nMAIL FROM:<a@b> BODY=8BITMIME\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n";
    let (codes, messages) = outcome(talk, sent).await;
    assert_eq!(codes, ["220", "250", "250", "250", "354", "250", "221"]);
    let [message] = messages.try_into().unwrap();
    assert_eq!(
        (message.to.as_str(), message.subject.as_str()),
        ("c@d", "x")
    );
    assert_eq!(message.text.as_deref(), Some(".dot\r\n"));
    assert_eq!(message.headers["Return-Path"], "<a@b>");
}

#[tokio::test]
async fn commands_out_of_order_are_refused_and_the_session_goes_on() {
    assert_eq!(
        codes_of("DATA\r\nRCPT TO:<c@d>\r\nMAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\nDATA\r\nNOOP\r\nVRFY x\r\nQUIT\r\n").await,
        ["220", "503", "503", "250", "503", "503", "250", "252", "221"]
    );
}

#[tokio::test]
async fn rset_and_ehlo_forget_the_envelope() {
    let begin = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n";
    for forget in ["RSET", "EHLO me", "HELO me"] {
        let codes = codes_of(&format!("{begin}{forget}\r\nDATA\r\nQUIT\r\n")).await;
        assert_eq!(
            codes,
            ["220", "250", "250", "250", "503", "221"],
            "{forget}"
        );
    }
}

#[tokio::test]
async fn a_client_that_pipelines_is_not_sent_away_for_refused_recipients() {
    let talk = start(IDLE_LIMIT);
    talk.catcher.fault(Fault::Temporary);
    let mail = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nRSET\r\n";
    let (codes, _) = outcome(talk, mail.repeat(2 * MAX_REFUSALS).as_bytes()).await;
    assert_eq!(codes.len(), 1 + 4 * 2 * MAX_REFUSALS);
    assert_eq!(codes[codes.len() - 4..], ["250", "451", "503", "250"]);
}

#[test]
fn the_advertised_size_is_the_enforced_one() {
    assert!(EXTENSIONS.contains(&format!("SIZE {SIZE_LIMIT}\r\n")));
}

#[tokio::test]
async fn a_mail_that_is_too_large_is_refused_and_the_next_one_taken() {
    let line = format!("{}\r\n", "x".repeat(998));
    let large = line.repeat(SIZE_LIMIT / line.len() + 1);
    let envelope = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n";
    let sent = format!("{envelope}{large}.\r\n{envelope}Subject: y\r\n\r\n.\r\nQUIT\r\n");
    assert_eq!(
        codes_of(&sent).await,
        [
            "220", "250", "250", "354", "552", "250", "250", "354", "250", "221"
        ]
    );
}

#[tokio::test]
async fn recipients_are_limited() {
    let sent = format!(
        "MAIL FROM:<a@b>\r\n{}QUIT\r\n",
        "RCPT TO:<c@d>\r\n".repeat(MAX_RECIPIENTS + 1)
    );
    let codes = codes_of(&sent).await;
    assert_eq!(
        codes.iter().filter(|code| *code == "250").count(),
        MAX_RECIPIENTS + 1
    );
    assert_eq!(codes.iter().filter(|code| *code == "452").count(), 1);
}

#[tokio::test]
async fn a_client_that_speaks_something_else_is_sent_away() {
    let codes = codes_of(&"X-Header: y\r\n".repeat(50)).await;
    assert_eq!(codes.len(), MAX_REFUSALS + 2);
    assert_eq!(codes.last().unwrap(), "421");
    assert_eq!(codes_of(&"x".repeat(LINE_LIMIT)).await, ["220", "421"]);
}

#[tokio::test]
async fn a_silent_client_is_sent_away() {
    let mut talk = start(Duration::from_millis(20));
    let mut answers = String::new();
    talk.client.read_to_string(&mut answers).await.unwrap();
    assert!(answers.contains("\r\n421 4.4.2 "));
}

#[tokio::test]
async fn a_stop_ends_the_conversation_with_421() {
    let mut talk = start(IDLE_LIMIT);
    talk.client
        .write_all(b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nhalf")
        .await
        .unwrap();
    talk.shutdown.cancel();
    let mut answers = String::new();
    talk.client.read_to_string(&mut answers).await.unwrap();
    assert!(answers.ends_with("421 4.3.2 the mail catcher is stopping\r\n"));
    assert!(talk.catcher.messages().is_empty());
}

#[tokio::test]
async fn a_mail_whose_client_vanishes_before_the_dot_is_not_kept() {
    let talk = start(IDLE_LIMIT);
    let sent = b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: x\r\n\r\nhalf\r\n.";
    let (codes, messages) = outcome(talk, sent).await;
    assert_eq!(codes, ["220", "250", "250", "354"]);
    assert!(messages.is_empty());
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_makes_the_sender_try_again() {
    let talk = start(IDLE_LIMIT);
    std::fs::remove_dir(talk.home.path()).unwrap();
    let (codes, _) = outcome(
        talk,
        b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx: y\r\n.\r\nQUIT\r\n",
    )
    .await;
    assert_eq!(codes, ["220", "250", "250", "354", "451", "221"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_a_session_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..4000),
        begin in "((EHLO x|MAIL FROM:<a@b>|RCPT TO:<c@d>|DATA|RSET|\\.|\\.\\.|.{0,9})(\r\n|\n|\r)){0,20}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let sent = [begin.as_bytes(), &bytes].concat();
        let codes = runtime.block_on(async { outcome(start(IDLE_LIMIT), &sent).await.0 });
        prop_assert_eq!(codes.first().map(String::as_str), Some("220"));
    }
}
