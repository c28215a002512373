//! What a nats-server's log tells of refusals. Whoever has got hold of a login meets them with a client of their own, of which no
//! process of ours hears.

use std::fs::{File, Metadata};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::Duration;

use super::logins;
use crate::lifecycle::Lifecycle;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A line says `"v1:rust:client" - "$G/user:notifier" - Publish Violation - Subject "gdpr.delete.v1.x"`. Clients choose the first of these
/// names, so it is read from its end.
const REFUSED_ACTS: [&str; 2] = [
    "\" - Publish Violation - Subject \"",
    "\" - Subscription Violation - Subject \"",
];
const REFUSED_LOGIN: &str = " - authentication error - User \"";
/// An answer that is late is refused, since its asker waits no longer: that is no mistake.
const INBOXES: &str = "_INBOX";
/// A line is not kept beyond this; what matters stands in front.
const LONGEST_LINE: usize = 4096;

/// Counts the refusals that a log tells from now on, by login, until the stop.
pub async fn count_refusals(log: PathBuf, lifecycle: Lifecycle) -> anyhow::Result<()> {
    let known: Vec<String> = logins(&[]).into_iter().map(|one| one.login).collect();
    let mut follower = Follower::at_the_end(log);
    let mut is_readable = true;
    while lifecycle.pause(LOOK_EVERY).await {
        let looking = tokio::task::spawn_blocking(move || (follower.new_lines(), follower));
        let (lines, same) = looking.await?;
        follower = same;
        match lines {
            Ok(lines) => {
                is_readable = true;
                for line in &lines {
                    count(line, &known);
                }
            }
            Err(error) if is_readable => {
                is_readable = false;
                tracing::warn!(%error, "the broker's log cannot be read; refusals that other clients meet are not counted meanwhile");
            }
            Err(_) => {}
        }
    }
    Ok(())
}

fn count(line: &str, known: &[String]) {
    let Some(user) = refused_user(line) else {
        return;
    };
    // Whoever logs in chooses the name.
    let known = known.iter().find(|login| *login == user);
    let login = known.map_or("unknown", String::as_str).to_owned();
    tracing::warn!(login, "the broker's log tells of a refusal");
    metrics::counter!("dipper_broker_log_refusals_total", "login" => login).increment(1);
}

/// Who was refused something, if a line says so.
fn refused_user(line: &str) -> Option<&str> {
    if let Some((_, user)) = line.rsplit_once(REFUSED_LOGIN) {
        return user.split('"').next();
    }
    let mut acts = REFUSED_ACTS.iter();
    let (front, subject) = acts.find_map(|act| line.rsplit_once(act))?;
    let (_, user) = front.rsplit_once("/user:")?;
    (!subject.starts_with(INBOXES)).then_some(user)
}

/// A log that is read as it grows, and goes on in another file when it is full.
#[derive(Debug)]
struct Follower {
    path: PathBuf,
    file: Option<BufReader<File>>,
    /// The beginning of a line that is not whole yet.
    begun: Vec<u8>,
}

impl Follower {
    fn at_the_end(path: PathBuf) -> Self {
        let file = File::open(&path).and_then(|mut file| {
            file.seek(SeekFrom::End(0))?;
            Ok(BufReader::new(file))
        });
        Self {
            path,
            file: file.ok(),
            begun: Vec::new(),
        }
    }

    /// The lines that were written since the last call.
    fn new_lines(&mut self) -> io::Result<Vec<String>> {
        let mut lines = Vec::new();
        // Looked up before the old file is read to its end: nothing is written to that any more then.
        let now = std::fs::metadata(&self.path)?;
        if let Some(file) = &mut self.file {
            read(file, &mut self.begun, &mut lines)?;
            if is_file(file, &now)? {
                return Ok(lines);
            }
        }
        self.begun.clear();
        let file = self.file.insert(BufReader::new(File::open(&self.path)?));
        read(file, &mut self.begun, &mut lines)?;
        Ok(lines)
    }
}

fn is_file(file: &BufReader<File>, now: &Metadata) -> io::Result<bool> {
    let open = file.get_ref().metadata()?;
    Ok((open.dev(), open.ino()) == (now.dev(), now.ino()))
}

fn read(
    file: &mut BufReader<File>,
    begun: &mut Vec<u8>,
    lines: &mut Vec<String>,
) -> io::Result<()> {
    while file.read_until(b'\n', begun)? > 0 && begun.ends_with(b"\n") {
        begun.truncate(LONGEST_LINE);
        lines.push(String::from_utf8_lossy(begun).into_owned());
        begun.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const REFUSAL: &str = r#"[7] 2026/11/23 13:00:00.0 [ERR] 127.0.0.1:4711 - cid:9 - "v1:py:CLIENT" - "$G/user:notifier" - Publish Violation - Subject "gdpr.delete.v1.x""#;

    #[test]
    fn a_refusal_names_the_login_and_nothing_else_does() {
        assert_eq!(refused_user(REFUSAL), Some("notifier"));
        let forged = r#"\" - \"$G/user:statistics\" - Publish Violation - Subject \"x"#;
        let forged = REFUSAL.replace("CLIENT", forged);
        assert_eq!(refused_user(&forged), Some("notifier"));
        let login = r#"[7] 2026/11/23 13:00:00.0 [ERR] 127.0.0.1:4711 - cid:9 - authentication error - User "eve""#;
        assert_eq!(refused_user(login), Some("eve"));
        let late = REFUSAL.replace("gdpr.delete.v1.x", "_INBOX.abc.1");
        assert_eq!(refused_user(&late), None);
        assert_eq!(refused_user("[7] [INF] Server is ready"), None);
    }

    #[test]
    fn every_whole_line_is_read_once_also_where_the_log_goes_on_in_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nats-server.log");
        std::fs::write(&path, "of before\n").unwrap();
        let mut follower = Follower::at_the_end(path.clone());
        let append = |text: &str| {
            let mut file = File::options()
                .append(true)
                .create(true)
                .open(&path)
                .unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        append("one\ntw");
        assert_eq!(follower.new_lines().unwrap(), ["one\n"]);
        append("o\nthree\n");
        std::fs::rename(&path, folder.path().join("nats-server.log.1")).unwrap();
        assert!(follower.new_lines().is_err());
        append("four\n");
        assert_eq!(
            follower.new_lines().unwrap(),
            ["two\n", "three\n", "four\n"]
        );
        assert_eq!(follower.new_lines().unwrap(), [""; 0]);
    }
}
