//! A catcher that runs on ports of its own.

use std::net::SocketAddr;
use std::path::Path;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use mail_catcher::MailCatcher;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub struct Running {
    pub catcher: MailCatcher,
    pub smtp: SocketAddr,
    pub http: SocketAddr,
    shutdown: CancellationToken,
    serving: JoinHandle<anyhow::Result<()>>,
}

pub async fn start(folder: &Path) -> Running {
    let catcher = MailCatcher::open(folder).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let smtp = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let (served, stop) = (catcher.clone(), shutdown.clone());
    let serving = tokio::spawn(async move { served.serve_smtp(listener, stop).await });

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let http = listener.local_addr().unwrap();
    let (router, _) = catcher.router().split_for_parts();
    let stop = shutdown.clone().cancelled_owned();
    tokio::spawn(async move {
        axum::serve(listener, router)
            .with_graceful_shutdown(stop)
            .await
    });
    Running {
        catcher,
        smtp,
        http,
        shutdown,
        serving,
    }
}

impl Running {
    pub fn client(&self) -> AsyncSmtpTransport<Tokio1Executor> {
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
            .port(self.smtp.port())
            .build()
    }

    pub async fn send(&self, mail: Message) -> Result<(), Error> {
        self.client().send(mail).await.map(drop)
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        reqwest::get(format!("http://{}{path}", self.http))
            .await
            .unwrap()
    }

    pub async fn stop(self) {
        self.shutdown.cancel();
        self.serving.await.unwrap().unwrap();
    }
}

pub fn mail(message_id: &str, text: &str, html: &str) -> Message {
    let from: Mailbox = "Dipper <noreply@example.test>".parse().unwrap();
    Message::builder()
        .from(from)
        .to("Zoë Bird <zoe@example.test>".parse().unwrap())
        .subject("Grüße: please confirm")
        .message_id(Some(format!("<{message_id}>")))
        .multipart(MultiPart::alternative_plain_html(
            text.to_owned(),
            html.to_owned(),
        ))
        .unwrap()
}
