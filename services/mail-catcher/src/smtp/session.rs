//! One conversation with a client.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::io::{AsyncRead, AsyncWrite};

use super::Fault;
use super::body::{Body, Progress};
use super::command::Command;
use super::connection::{Connection, End, Reach};
use crate::MailCatcher;
use crate::store::Mail;

/// As many as RFC 5321 makes every server take.
const MAX_RECIPIENTS: usize = 100;

/// After this many lines that are no commands the client is taken for something else, such as a browser.
const MAX_REFUSALS: usize = 10;

/// The answer to EHLO; SIZE is `SIZE_LIMIT`.
const EXTENSIONS: &str = "250-mail-catcher\r\n250-SIZE 10485760\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
                          250 ENHANCEDSTATUSCODES";

/// The state of a conversation: the envelope that is being filled.
#[derive(Debug)]
pub(super) struct Session<S> {
    catcher: MailCatcher,
    connection: Connection<S>,
    sender: Option<String>,
    recipients: Vec<String>,
    refusals: usize,
}

impl<S: AsyncRead + AsyncWrite> Session<S> {
    pub(super) fn new(catcher: MailCatcher, connection: Connection<S>) -> Self {
        Self {
            catcher,
            connection,
            sender: None,
            recipients: Vec::new(),
            refusals: 0,
        }
    }

    /// Talks until the client goes or has to go.
    pub(super) async fn run(mut self) {
        let farewell = match self.talk().await {
            Ok(()) => "221 2.0.0 goodbye",
            Err(End::Idle) => "421 4.4.2 nothing heard for too long",
            Err(End::Shutdown) => "421 4.3.2 the mail catcher is stopping",
            Err(End::Abuse) => "421 4.7.0 this is no mail",
            Err(End::Closed) => return,
            Err(End::Broken(error)) => {
                tracing::debug!(%error, "a mail connection broke");
                return;
            }
        };
        self.connection.close(farewell).await;
    }

    async fn talk(&mut self) -> Result<(), End> {
        self.connection.answer("220 mail-catcher ESMTP");
        let mut line = Vec::new();
        while self.refusals < MAX_REFUSALS {
            if self.connection.read_line(&mut line).await? == Reach::Cut {
                return Err(End::Abuse);
            }
            match Command::parse(&line) {
                Ok(Command::Quit) => return Ok(()),
                Ok(command) => self.obey(command).await?,
                Err(refusal) => {
                    self.refusals += 1;
                    self.connection.answer(refusal);
                }
            }
        }
        Err(End::Abuse)
    }

    async fn obey(&mut self, command: Command) -> Result<(), End> {
        match command {
            Command::Ehlo => self.reset(EXTENSIONS),
            Command::Helo => self.reset("250 mail-catcher"),
            Command::Rset => self.reset("250 2.0.0 forgotten"),
            Command::Mail { sender } => self.begin(sender),
            Command::Rcpt { recipient } => self.address(recipient).await?,
            Command::Data => self.take().await?,
            Command::Vrfy => self.connection.answer("252 2.1.5 every recipient is taken"),
            Command::Noop | Command::Quit => self.connection.answer("250 2.0.0 fine"),
        }
        Ok(())
    }

    fn reset(&mut self, answer: &str) {
        self.sender = None;
        self.recipients.clear();
        self.connection.answer(answer);
    }

    fn begin(&mut self, sender: String) {
        if self.sender.is_some() {
            self.connection.answer("503 5.5.1 one MAIL at a time");
        } else {
            self.sender = Some(sender);
            self.connection.answer("250 2.1.0 fine");
        }
    }

    async fn address(&mut self, recipient: String) -> Result<(), End> {
        if self.sender.is_none() {
            self.connection.answer("503 5.5.1 MAIL comes first");
            return Ok(());
        }
        match self.outwait(Fault::Stall).await? {
            Fault::Temporary => self.connection.answer("451 4.3.0 not now"),
            Fault::Permanent => self.connection.answer("550 5.1.1 no such recipient"),
            _ if self.recipients.len() == MAX_RECIPIENTS => {
                self.connection.answer("452 4.5.3 too many recipients");
            }
            _ => {
                self.recipients.push(recipient);
                self.connection.answer("250 2.1.5 fine");
            }
        }
        Ok(())
    }

    /// The fault that applies, once it is not this stall.
    async fn outwait(&mut self, stall: Fault) -> Result<Fault, End> {
        let mut fault = self.catcher.fault.subscribe();
        if *fault.borrow() == stall {
            // What was answered before is not part of the stall.
            self.connection.flush().await?;
        }
        self.catcher.stalled.fetch_add(1, Ordering::Relaxed);
        let settled = self
            .connection
            .wait(fault.wait_for(|fault| *fault != stall))
            .await;
        self.catcher.stalled.fetch_sub(1, Ordering::Relaxed);
        settled?.map(|fault| *fault).map_err(|_| End::Shutdown)
    }

    async fn take(&mut self) -> Result<(), End> {
        let Some(sender) = self.sender.take_if(|_| !self.recipients.is_empty()) else {
            self.connection.answer("503 5.5.1 MAIL and RCPT come first");
            return Ok(());
        };
        let recipients = std::mem::take(&mut self.recipients);
        self.connection
            .answer("354 go on, end with a dot on its own line");
        match self.receive().await? {
            Ok(content) => {
                self.outwait(Fault::StallAfterData).await?;
                self.keep(Mail {
                    sender,
                    recipients,
                    content,
                })
                .await
            }
            Err(refusal) => {
                self.connection.answer(refusal);
                Ok(())
            }
        }
    }

    async fn receive(&mut self) -> Result<Result<Vec<u8>, &'static str>, End> {
        let mut body = Body::new();
        let mut line = Vec::new();
        loop {
            self.connection.read_line(&mut line).await?;
            match body.push(&line) {
                Progress::More => {}
                Progress::Done => return Ok(body.finish()),
                Progress::Abuse => return Err(End::Abuse),
            }
        }
    }

    async fn keep(&mut self, mail: Mail) -> Result<(), End> {
        let store = Arc::clone(&self.catcher.store);
        let kept = tokio::task::spawn_blocking(move || store.keep(&mail)).await;
        match kept.map_err(std::io::Error::other).flatten() {
            Ok(()) if *self.catcher.fault.borrow() == Fault::LoseAnswer => return Err(End::Closed),
            Ok(()) => self.connection.answer("250 2.0.0 kept"),
            Err(error) => {
                tracing::error!(%error, "a mail could not be kept; its sender is told to try again");
                self.connection
                    .answer("451 4.3.0 the mail cannot be kept now");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
