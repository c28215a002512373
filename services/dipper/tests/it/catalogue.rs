//! `dipper catalogue` as an operator and as CI use it.

use std::path::Path;

use testkit::Launch;

use crate::setup::DIPPER;

const SCHEMAS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas");

async fn check(folder: &Path) -> (Option<i32>, String) {
    let output = Launch::new(
        DIPPER,
        &["catalogue", "check", "--schemas", &folder.to_string_lossy()],
    )
    .output()
    .await;
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

async fn exported() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_string_lossy().into_owned();
    let output = Launch::new(
        DIPPER,
        &["catalogue", "export", "--format", "schemas", &path],
    )
    .output()
    .await;
    assert!(output.status.success());
    folder
}

/// What a format of the export writes into its one file.
async fn written_as(format: &str, name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_string_lossy().into_owned();
    let arguments = ["catalogue", "export", "--format", format, &path];
    let output = Launch::new(DIPPER, &arguments).output().await;
    assert!(output.status.success());
    std::fs::read_to_string(folder.path().join(name)).unwrap()
}

fn committed(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(path)).unwrap()
}

/// To bring the file to it: `dipper catalogue export --format nats deploy/nats`.
#[tokio::test]
async fn the_deployments_permissions_are_those_of_the_program() {
    const FILE: &str = "nats-authorization.conf";
    let written = written_as("nats", FILE).await;
    assert_eq!(committed(&format!("deploy/nats/{FILE}")), written);
}

/// To bring it there: replace the table by what `dipper catalogue export --format takeover DIR` writes.
#[tokio::test]
async fn the_threat_model_says_what_each_login_could_do() {
    let table = written_as("takeover", "takeover.md").await;
    assert!(
        committed("docs/threat-model.md").contains(&table),
        "the table is another one now:\n{table}"
    );
}

#[tokio::test]
async fn the_published_schemas_are_those_of_the_program() {
    let (code, said) = check(Path::new(SCHEMAS)).await;
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test]
async fn a_changed_schema_is_named_with_path_and_rule() {
    let folder = exported().await;
    let file = folder.path().join("rate/update/1.0.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"maximum\": 5", "\"maximum\": 10")).unwrap();
    let (code, said) = check(folder.path()).await;
    assert_eq!(code, Some(1));
    assert!(said.contains("rate/update/1.0.json /properties/data/properties/rating/maximum: published schemas are frozen"), "{said}");
}

#[tokio::test]
async fn a_minor_version_that_breaks_a_consumer_is_refused_with_a_witness() {
    let folder = exported().await;
    let text = std::fs::read_to_string(folder.path().join("rate/update/1.0.json")).unwrap();
    let broken = text
        .replace("\"maximum\": 5", "\"maximum\": 4")
        .replace("1.0", "1.1");
    std::fs::write(folder.path().join("rate/update/1.1.json"), broken).unwrap();
    let (code, said) = check(folder.path()).await;
    assert_eq!(code, Some(1));
    assert!(
        said.contains("rate/update/1.1.json") && said.contains("witness"),
        "{said}"
    );
}

#[tokio::test]
async fn documents_are_exported_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_string_lossy().into_owned();
    for format in ["asyncapi", "html"] {
        let output = Launch::new(DIPPER, &["catalogue", "export", "--format", format, &path])
            .output()
            .await;
        assert!(output.status.success());
    }
    let asyncapi = std::fs::read_to_string(folder.path().join("asyncapi.json")).unwrap();
    assert!(asyncapi.contains("\"3.0.0\""));
    let page = std::fs::read_to_string(folder.path().join("catalogue.html")).unwrap();
    assert!(page.contains("rate.update") && !page.contains("<script"));
    let list = Launch::new(DIPPER, &["catalogue", "list"]).output().await;
    assert!(String::from_utf8_lossy(&list.stdout).contains("30 days"));
}
