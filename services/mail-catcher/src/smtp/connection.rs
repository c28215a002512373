//! Lines in, answers out, with a limit on every wait and every length.

use std::io;
use std::time::Duration;

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
};
use tokio::io::{BufReader, ReadHalf, WriteHalf};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Bytes of a line, its line feed included: 16 times what RFC 5321 makes every server take.
pub(super) const LINE_LIMIT: usize = 16 * 1024;

/// Why a conversation ended before its QUIT.
#[derive(Debug)]
pub(super) enum End {
    /// The client is gone, or is to be left without an answer.
    Closed,
    /// The client took too long.
    Idle,
    /// The catcher is being stopped.
    Shutdown,
    /// The client does what no mail client does.
    Abuse,
    /// The socket failed.
    Broken(io::Error),
}

/// Whether a line was read to its line feed, or stops at [`LINE_LIMIT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Whole,
    Cut,
}

/// A client's connection; answers are gathered and leave when the client's next line is waited for (PIPELINING).
#[derive(Debug)]
pub(super) struct Connection<S> {
    reader: BufReader<ReadHalf<S>>,
    writer: WriteHalf<S>,
    answers: Vec<u8>,
    idle: Duration,
    shutdown: CancellationToken,
}

impl<S: AsyncRead + AsyncWrite> Connection<S> {
    pub(super) fn new(stream: S, idle: Duration, shutdown: CancellationToken) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self {
            reader: BufReader::new(reader),
            writer,
            answers: Vec::new(),
            idle,
            shutdown,
        }
    }

    /// Replaces `line` by the next one, with its line feed.
    pub(super) async fn read_line(&mut self, line: &mut Vec<u8>) -> Result<Reach, End> {
        if !self.reader.buffer().contains(&b'\n') {
            self.flush().await?;
        }
        line.clear();
        let mut limited = (&mut self.reader).take(LINE_LIMIT as u64);
        let read = timeout(self.idle, limited.read_until(b'\n', line));
        let read = tokio::select! {
            () = self.shutdown.cancelled() => return Err(End::Shutdown),
            read = read => read,
        };
        read.map_err(|_| End::Idle)?.map_err(End::Broken)?;
        match line.last() {
            Some(b'\n') => Ok(Reach::Whole),
            Some(_) if line.len() == LINE_LIMIT => Ok(Reach::Cut),
            _ => Err(End::Closed),
        }
    }

    /// Adds an answer; the lines of one that has several come with their CRLF between them.
    pub(super) fn answer(&mut self, answer: &str) {
        self.answers.extend_from_slice(answer.as_bytes());
        self.answers.extend_from_slice(b"\r\n");
    }

    /// Sends the answers. Also while being stopped: a client that is owed a 250 gets it.
    pub(super) async fn flush(&mut self) -> Result<(), End> {
        if self.answers.is_empty() {
            return Ok(());
        }
        let written = async {
            self.writer.write_all(&self.answers).await?;
            self.writer.flush().await
        };
        timeout(self.idle, written)
            .await
            .map_err(|_| End::Idle)?
            .map_err(End::Broken)?;
        self.answers.clear();
        Ok(())
    }

    /// Says goodbye and closes, if the client still listens.
    pub(super) async fn close(mut self, farewell: &str) {
        self.answer(farewell);
        if self.flush().await.is_ok() {
            let _ = timeout(self.idle, self.writer.shutdown()).await;
        }
    }

    /// Waits for something else than the client, under the same limits.
    pub(super) async fn wait<T>(&self, event: impl Future<Output = T>) -> Result<T, End> {
        tokio::select! {
            () = self.shutdown.cancelled() => Err(End::Shutdown),
            done = timeout(self.idle, event) => done.map_err(|_| End::Idle),
        }
    }
}
