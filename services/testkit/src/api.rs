//! A client of the HTTP API, and people who use it.

use std::sync::Arc;

use mail_catcher::MailCatcher;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::eventually;

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status code.
    pub status: StatusCode,
    /// Headers.
    pub headers: reqwest::header::HeaderMap,
    /// Body as JSON; null when it is none.
    pub json: Value,
    /// Body.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// Demands a status.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(
            self.status.as_u16(),
            status,
            "{}",
            String::from_utf8_lossy(&self.bytes)
        );
        self
    }

    /// Demands a problem document with a status and an error at a pointer.
    pub fn expect_problem(&self, status: u16, pointer: Option<&str>) {
        let text = String::from_utf8_lossy(&self.bytes);
        assert_eq!(self.status.as_u16(), status, "{text}");
        assert_eq!(
            self.headers["content-type"], "application/problem+json",
            "{text}"
        );
        assert_eq!(self.json["status"], status, "{text}");
        if let Some(pointer) = pointer {
            let errors = self.json["errors"]
                .as_array()
                .unwrap_or_else(|| panic!("no errors in {text}"));
            assert!(
                errors.iter().any(|error| error["pointer"] == pointer),
                "{pointer} is not in {text}"
            );
        }
    }
}

/// Where mail arrives.
#[derive(Clone)]
pub enum Mailbox {
    /// The catcher of `dipper up`.
    Http,
    /// One that the test runs.
    Catcher(MailCatcher),
}

/// A client of one instance, which may be spread over several listeners; cheap to clone.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    /// Path prefixes and the listeners that serve them; the first that fits is used.
    listeners: Arc<Vec<(String, String)>>,
    mailbox: Mailbox,
}

/// Somebody with an account.
#[derive(Clone, Debug)]
pub struct Birder {
    /// User id.
    pub id: Uuid,
    /// E-mail address.
    pub email: String,
    /// Password.
    pub password: String,
    /// Access token.
    pub token: String,
}

impl Api {
    /// A client of `dipper up`.
    pub fn new(url: &str) -> Self {
        Self::spread(vec![(String::new(), url.to_owned())], Mailbox::Http)
    }

    /// A client of several listeners.
    pub fn spread(listeners: Vec<(String, String)>, mailbox: Mailbox) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            http,
            listeners: Arc::new(listeners),
            mailbox,
        }
    }

    /// A request to the listener that serves its path.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let listener = self
            .listeners
            .iter()
            .find(|(front, _)| path.starts_with(front))
            .unwrap();
        self.http.request(method, format!("{}{path}", listener.1))
    }

    /// Sends a request; `None` when the instance went away.
    pub async fn try_send(&self, request: reqwest::RequestBuilder) -> Option<Answer> {
        let response = request.send().await.ok()?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.ok()?.to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        Some(Answer {
            status,
            headers,
            json,
            bytes,
        })
    }

    /// Sends a request with an optional token and JSON body.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Answer {
        let mut request = self.request(method, path);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        self.try_send(request)
            .await
            .unwrap_or_else(|| panic!("{path} answers"))
    }

    /// GET without a token.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, None).await
    }

    /// POST without a token.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, None, Some(body)).await
    }

    /// GET as somebody.
    pub async fn get_as(&self, birder: &Birder, path: &str) -> Answer {
        self.send(Method::GET, path, Some(&birder.token), None)
            .await
    }

    /// POST as somebody.
    pub async fn post_as(&self, birder: &Birder, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(&birder.token), Some(body))
            .await
    }

    /// PUT as somebody.
    pub async fn put_as(&self, birder: &Birder, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(&birder.token), Some(body))
            .await
    }

    /// DELETE as somebody.
    pub async fn delete_as(&self, birder: &Birder, path: &str) -> Answer {
        self.send(Method::DELETE, path, Some(&birder.token), None)
            .await
    }

    /// Mails to an address, newest first.
    pub async fn mails_to(&self, address: &str) -> Vec<Value> {
        let all = match &self.mailbox {
            Mailbox::Http => self
                .get("/dev/mail/messages?limit=100")
                .await
                .expect(200)
                .json["items"]
                .clone(),
            Mailbox::Catcher(catcher) => {
                let catcher = catcher.clone();
                let messages = tokio::task::spawn_blocking(move || catcher.messages())
                    .await
                    .unwrap();
                serde_json::to_value(messages).unwrap()
            }
        };
        let all = all.as_array().unwrap().clone();
        all.into_iter()
            .filter(|mail| mail["to"].to_string().contains(address))
            .collect()
    }

    /// Registers, confirms by the mailed link, and logs in.
    pub async fn join(&self, name: &str) -> Birder {
        let email = format!(
            "{}-{}@example.org",
            name.to_lowercase(),
            Uuid::new_v4().simple()
        );
        self.join_with(&email, name).await
    }

    /// The same with an address that somebody may have had before.
    pub async fn join_with(&self, email: &str, name: &str) -> Birder {
        let password = format!("{} watches birds", Uuid::new_v4().simple());
        let body = json!({"email": email, "password": password, "name": name});
        self.post("/api/v1/auth/register", &body).await.expect(202);
        eventually("a mailed link confirms the account", || async {
            for mail in self.mails_to(email).await {
                let token = json!({"token": token_in(&mail).unwrap_or_default()});
                let confirmed = self.post("/api/v1/auth/confirm", &token).await;
                if confirmed.status == 200 {
                    return Some(());
                }
            }
            None
        })
        .await;
        self.log_in(email.to_owned(), password).await
    }

    /// Logs in.
    pub async fn log_in(&self, email: String, password: String) -> Birder {
        let body = json!({"email": email, "password": password});
        let answer = self
            .post("/api/v1/auth/login", &body)
            .await
            .expect(200)
            .json;
        Birder {
            id: answer["user"]["id"].as_str().unwrap().parse().unwrap(),
            email,
            password,
            token: answer["token"].as_str().unwrap().to_owned(),
        }
    }

    /// Uploads a picture: its id and URL.
    pub async fn upload(&self, birder: &Birder, jpeg: &[u8]) -> (Uuid, String) {
        let request = self
            .request(Method::POST, "/api/v1/images")
            .bearer_auth(&birder.token)
            .header("content-type", "image/jpeg")
            .body(jpeg.to_vec());
        let answer = self
            .try_send(request)
            .await
            .expect("an answer")
            .expect(201)
            .json;
        (
            answer["id"].as_str().unwrap().parse().unwrap(),
            answer["url"].as_str().unwrap().to_owned(),
        )
    }

    /// Ticks with the photograph: the picture's id.
    pub async fn tick(&self, birder: &Birder) -> Uuid {
        let (image, url) = self.upload(birder, crate::PHOTO).await;
        let tick = json!({"image": {"url": url}});
        self.post_as(birder, "/api/v1/ticks", &tick)
            .await
            .expect(201);
        image
    }

    /// Rates, whatever comes of it.
    pub async fn try_rate(&self, rater: &Birder, image: Uuid, rating: u8) {
        let path = format!("/api/v1/images/{image}/rating");
        let request = self
            .request(Method::PUT, &path)
            .bearer_auth(&rater.token)
            .json(&json!({"rating": rating}));
        self.try_send(request).await;
    }

    /// The platform's totals.
    pub async fn figures(&self) -> Value {
        self.get("/api/v1/statistics/overview")
            .await
            .expect(200)
            .json
    }
}

/// The secret in a mail's link.
pub fn token_in(mail: &Value) -> Option<String> {
    let (_, rest) = mail["text"].as_str()?.split_once("?token=")?;
    Some(
        rest.chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect(),
    )
}
