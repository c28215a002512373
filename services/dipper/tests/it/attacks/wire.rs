//! What no client library sends: requests that can be read in two ways, lengths that lie, heads without an end.

use std::time::{Duration, Instant};

use testkit::{PATIENCE, eventually, memory};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Report, Stage};

/// So many connections hold a request open.
const DRIPS: usize = 200;
/// What they may take, in kilobytes.
const DRIPS_MEMORY: u64 = 50 * 1024;
/// Others are answered within this meanwhile, also on a busy machine: long before the slow ones are given up.
const OTHERS_ANSWERED: Duration = Duration::from_secs(10);

pub async fn attack(stage: &Stage, report: &mut Report) {
    desync(stage, report).await;
    after_a_chunked_body(stage, report).await;
    heads(stage, report).await;
    paths(stage, report).await;
}

async fn connect(stage: &Stage) -> TcpStream {
    let address = stage.running.url.trim_start_matches("http://");
    TcpStream::connect(address).await.unwrap()
}

/// Sends bytes and reads until the other side closes: what it said.
async fn answers(stage: &Stage, bytes: &[u8]) -> String {
    let mut stream = connect(stage).await;
    stream.write_all(bytes).await.unwrap();
    let mut said = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut said)).await;
    // A server that closes with something unread resets the connection, after what it said.
    let _ = read.expect("the connection is closed");
    String::from_utf8_lossy(&said).into_owned()
}

fn status(said: &str) -> &str {
    said.split(' ').nth(1).unwrap_or_default()
}

/// The status of the last of several answers.
fn last_status(said: &str) -> &str {
    let last = said.rfind("HTTP/1.1 ").and_then(|at| said.get(at..));
    status(last.unwrap_or_default())
}

const HIDDEN: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
const CHUNKED: &str = "Transfer-Encoding: chunked";

/// A `POST` with some lines in its head, and the end of a chunked body and a second request where its own body belongs.
fn hiding(lines: &[&str]) -> String {
    let lines = lines.join("\r\n");
    format!("POST /api/v1/ticks HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n0\r\n\r\n{HIDDEN}")
}

/// A second request hides in what one reader takes for the first one's body.
async fn desync(stage: &Stage, report: &mut Report) {
    let after_another = format!("{HIDDEN}GET /readyz HTTP/1.1\nHost: x\r\n\r\n");
    for (what, request, answered_before) in [
        (
            "a length and a coding",
            hiding(&["Content-Length: 5", CHUNKED]),
            0,
        ),
        (
            "a coding and a length",
            hiding(&[CHUNKED, "Content-Length: 5"]),
            0,
        ),
        (
            "two lengths",
            hiding(&["Content-Length: 0", "Content-Length: 5"]),
            0,
        ),
        (
            "one length twice",
            hiding(&["Content-Length: 5", "Content-Length: 5"]),
            0,
        ),
        (
            "a coding that is none",
            hiding(&["Transfer-Encoding: xchunked"]),
            0,
        ),
        (
            "a space before the colon",
            hiding(&["Transfer-Encoding : chunked"]),
            0,
        ),
        (
            "a folded header",
            hiding(&["X-A: b", " Transfer-Encoding: chunked"]),
            0,
        ),
        ("bare line feeds", HIDDEN.replace('\r', ""), 0),
        (
            "a bare line feed in a header",
            HIDDEN.replacen("x\r\n", "x\nX-A: b\r\n", 1),
            0,
        ),
        ("a bare line feed in the second request", after_another, 1),
    ] {
        let said = answers(stage, request.as_bytes()).await;
        report.expect(
            &format!("18 {what} is refused"),
            &"400",
            &last_status(&said),
        );
        let passed = said.matches("HTTP/1.1 200").count();
        report.expect(
            &format!("18 {what} hides no request"),
            &answered_before,
            &passed,
        );
    }
}

/// Where a chunked body ends only one reader knows, so the connection ends with it.
async fn after_a_chunked_body(stage: &Stage, report: &mut Report) {
    let said = answers(stage, hiding(&[CHUNKED]).as_bytes()).await;
    let said = said.matches("HTTP/1.1 ").count();
    report.expect("18 nothing follows a chunked body", &1, &said);
}

/// Heads and bodies that are too large, or end too early.
async fn heads(stage: &Stage, report: &mut Report) {
    let many = "X-A: b\r\n".repeat(200);
    let large = "x".repeat(200_000);
    let slow_token = &stage.mallory.token;
    for (what, request, expected) in [
        (
            "200 headers",
            format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{many}\r\n"),
            "431",
        ),
        (
            "a header of 200 kB",
            format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: {large}\r\n\r\n"),
            "431",
        ),
        (
            "an address of 200 kB",
            format!("GET /{large} HTTP/1.1\r\nHost: x\r\n\r\n"),
            "431",
        ),
        (
            "a length that is no number",
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".to_owned(),
            "400",
        ),
    ] {
        let said = answers(stage, request.as_bytes()).await;
        report.expect(&format!("10 {what}"), &expected, &status(&said));
    }
    let mut stream = connect(stage).await;
    let cut = format!(
        "PUT {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {slow_token}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{\"rating\": 5}}",
        stage.rating()
    );
    stream.write_all(cut.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said).await;
    let said = String::from_utf8_lossy(&said).into_owned();
    report.expect(
        "10 a body that is shorter than its length",
        &false,
        &said.contains(" 200 "),
    );
}

/// Ways out of a folder; no client library would send them as they are.
async fn paths(stage: &Stage, report: &mut Report) {
    for path in [
        "/assets/../../../../etc/passwd",
        "/assets/..%2f..%2f..%2fetc%2fpasswd",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/assets/..%5c..%5cetc%5cpasswd",
        "/assets/api.js%00.png",
        "/admin/assets/..%2f..%2fCargo.toml",
        "/docs/..%2f..%2fetc%2fpasswd",
        "/images/..%2f..%2fkeys/master.key",
        "/images/%2e%2e%2fkeys%2fmaster.key/400.jpg",
        "//etc/passwd",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let said = answers(stage, request.as_bytes()).await;
        report.expect(&format!("11 {path}"), &"404", &status(&said));
        report.expect(
            &format!("11 {path} tells nothing"),
            &false,
            &said.contains("root:"),
        );
    }
}

/// Connections that begin a request and never end it.
pub async fn start_dripping(stage: &Stage, report: &mut Report) -> Vec<TcpStream> {
    stage.api.get("/api/v1/feed").await.expect(200);
    let before = memory(stage.running.pid());
    let mut drips = Vec::with_capacity(DRIPS);
    for _ in 0..DRIPS {
        let mut drip = connect(stage).await;
        drip.write_all(b"GET /api/v1/feed HTTP/1.1\r\nHost: ")
            .await
            .unwrap();
        drips.push(drip);
    }
    let mut slowest = Duration::ZERO;
    for _ in 0..50 {
        for drip in &mut drips {
            drip.write_all(b"x").await.unwrap();
        }
        let began = Instant::now();
        stage.api.get("/api/v1/feed").await.expect(200);
        slowest = slowest.max(began.elapsed());
    }
    println!("        others waited for {slowest:?} at most");
    report.expect(
        "10 slow heads hold nobody up",
        &true,
        &(slowest < OTHERS_ANSWERED),
    );
    let more = memory(stage.running.pid()).saturating_sub(before);
    println!("        {DRIPS} of them take {more} kB");
    report.expect(
        "10 slow heads take little memory",
        &true,
        &(more < DRIPS_MEMORY),
    );
    drips
}

/// They are closed, however slowly they go on.
pub async fn end_of_dripping(mut drips: Vec<TcpStream>, report: &mut Report) {
    let mut open = drips.len();
    for drip in &mut drips {
        let closed = eventually("a slow head is given up", || async {
            let mut byte = [0];
            // Nothing to read yet, or the end; what was said before it is read away.
            match drip.try_read(&mut byte) {
                Ok(0) => Some(()),
                Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => Some(()),
                _ => None,
            }
        });
        closed.await;
        open -= 1;
    }
    report.expect("10 slow heads are given up", &0, &open);
}
