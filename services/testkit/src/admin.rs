//! Accounts that nobody can register.

use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// `dipper user create` for an admin, beside the instance or the services that run on the folder.
pub async fn create_admin(binary: &str, folder: &Path, email: &str, password: &str) {
    let mut command = Command::new(binary);
    command
        .args(["user", "create", "--email", email, "--name", "Ada"])
        .args(["--role", "admin", "--password-stdin", "--data-dir"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DIPPER_")) {
        command.env_remove(name);
    }
    // Services that run apart hold no lock on the folder: their broker is named.
    if !folder.join("lock").exists() {
        let credentials = folder.join("nats").join("credentials.json");
        command.env("DIPPER_NATS_CREDENTIALS", credentials);
    }
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(format!("{password}\n").as_bytes())
        .await
        .unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout.starts_with(b"user "), "{output:?}");
}
