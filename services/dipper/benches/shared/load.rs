//! What the benchmarks that ask over HTTP share: connections that cost the machine little, and how long answers took.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// One connection: a request, its answer, the next.
pub struct Connection {
    stream: BufReader<TcpStream>,
    line: String,
    body: Vec<u8>,
}

impl Connection {
    /// To an address such as `127.0.0.1:8080`.
    pub async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream: BufReader::new(stream),
            line: String::new(),
            body: Vec::new(),
        }
    }

    /// Sends a request as it stands here and reads the whole answer, which must have this status.
    pub async fn ask(&mut self, request: &str, status: u16) {
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let line = self.next_line().await;
        let expected = format!("HTTP/1.1 {status}");
        assert!(line.starts_with(&expected), "{line}");
        let mut length = 0;
        loop {
            let line = self.next_line().await;
            if line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.split_once(": ")
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).await.unwrap();
    }

    async fn next_line(&mut self) -> &str {
        self.line.clear();
        self.stream.read_line(&mut self.line).await.unwrap();
        &self.line
    }
}

/// How long answers took.
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Of all connections together.
    pub fn new(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self(all)
    }

    /// Within how many milliseconds so many of a thousand were answered.
    pub fn millis(&self, per_mille: usize) -> f64 {
        let place = (self.0.len() * per_mille / 1000).min(self.0.len() - 1);
        self.0[place].as_secs_f64() * 1000.0
    }
}
