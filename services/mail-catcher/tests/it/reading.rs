use serde_json::Value;

use crate::running::{mail, start};

#[tokio::test]
async fn the_list_has_the_mail_and_the_mail_is_found_by_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path()).await;
    running
        .send(mail("1@example.test", "text", "<p>html</p>"))
        .await
        .unwrap();

    let list: Value = running
        .get("/dev/mail/messages")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(list["next_cursor"], Value::Null);
    let [item] = list["items"].as_array().unwrap().as_slice() else {
        panic!("{list}")
    };
    assert_eq!(item["to"], "zoe@example.test");
    assert_eq!(item["subject"], "Grüße: please confirm");
    assert_eq!(item["headers"]["Message-ID"], "<1@example.test>");
    assert!(item["received_at"].as_str().unwrap().ends_with('Z'));

    let path = format!("/dev/mail/messages/{}", item["id"].as_str().unwrap());
    assert_eq!(
        running.get(&path).await.json::<Value>().await.unwrap(),
        *item
    );
    running.stop().await;
}

#[tokio::test]
async fn the_list_goes_on_behind_its_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path()).await;
    for number in 0..3 {
        running
            .send(mail(
                &format!("{number}@example.test"),
                &number.to_string(),
                "x",
            ))
            .await
            .unwrap();
    }
    let first: Value = running
        .get("/dev/mail/messages?limit=2")
        .await
        .json()
        .await
        .unwrap();
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(
        [&first["items"][0]["text"], &first["items"][1]["text"]],
        ["2", "1"]
    );

    // The mail that the cursor stands on is erased with all others of its recipient; the cursor stays good.
    let path = format!("/dev/mail/messages?limit=2&cursor={cursor}");
    let second: Value = running.get(&path).await.json().await.unwrap();
    assert_eq!(second["items"][0]["text"], "0");
    assert_eq!(second["next_cursor"], Value::Null);
    assert_eq!(running.catcher.delete_for("ZOE@example.test").unwrap(), 3);
    assert_eq!(
        running.get(&path).await.json::<Value>().await.unwrap()["items"],
        Value::Array(Vec::new())
    );
    running.stop().await;
}

#[tokio::test]
async fn the_page_shows_links_and_escapes_everything_else() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path()).await;
    let empty = running.get("/dev/mail").await.text().await.unwrap();
    assert!(empty.contains("No mail here yet"));

    let text = "Confirm: https://example.test/?token=a&b=c.\n<script>alert(1)</script>";
    running
        .send(mail("1@example.test", text, "<script>alert(2)</script>"))
        .await
        .unwrap();
    let answer = running.get("/dev/mail").await;
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'self'"));
    let page = answer.text().await.unwrap();
    assert!(
        page.contains(r#"<a href="https://example.test/?token=a&#38;b=c" rel="noreferrer">"#),
        "{page}"
    );
    assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");
    assert!(page.contains("&#60;script&#62;alert(2)"), "{page}");
    assert!(
        !page.contains("<script") && !page.contains("style="),
        "{page}"
    );

    let style = running.get("/dev/mail/style.css").await;
    assert_eq!(style.headers()["content-type"], "text/css; charset=utf-8");
    running.stop().await;
}

#[tokio::test]
async fn unknown_mails_and_bad_queries_are_problems() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path()).await;
    let unknown = format!("/dev/mail/messages/{}", "0".repeat(64));
    for path in [
        unknown.as_str(),
        "/dev/mail/messages/..%2f..",
        "/dev/mail/messages/%ff",
        "/dev/mail/messages/1",
    ] {
        let answer = running.get(path).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(
            problem,
            serde_json::json!({
                "type": "about:blank",
                "title": "Not Found",
                "status": 404,
                "detail": "No caught mail has this id.",
                "errors": [],
            })
        );
    }
    for (query, pointer) in [
        ("limit=0", "/limit"),
        ("limit=101", "/limit"),
        ("limit=x", "/limit"),
        ("limit=", "/limit"),
        ("cursor=x", "/cursor"),
        ("cursor=", "/cursor"),
        ("limit=1&limit=2", ""),
        ("offset=1", ""),
    ] {
        for path in ["/dev/mail", "/dev/mail/messages"] {
            let answer = running.get(&format!("{path}?{query}")).await;
            assert_eq!(answer.status(), 422, "{query}");
            let problem: Value = answer.json().await.unwrap();
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{query}");
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn every_route_is_in_the_api_description() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path()).await;
    let description = serde_json::to_value(running.catcher.router().into_openapi()).unwrap();
    let mut paths: Vec<_> = description["paths"].as_object().unwrap().keys().collect();
    paths.sort();
    assert_eq!(
        paths,
        [
            "/dev/mail",
            "/dev/mail/messages",
            "/dev/mail/messages/{id}",
            "/dev/mail/style.css"
        ]
    );
    let schemas = description["components"]["schemas"].as_object().unwrap();
    assert!(schemas.contains_key("CaughtMail") && schemas.contains_key("CaughtMails"));
    running.stop().await;
}
