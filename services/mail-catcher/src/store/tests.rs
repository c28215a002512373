use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use chrono::TimeDelta;

use super::*;

fn mail(recipients: &[&str], content: &str) -> Mail {
    Mail {
        sender: "from@example.test".to_owned(),
        recipients: recipients
            .iter()
            .map(|&recipient| recipient.to_owned())
            .collect(),
        content: content.as_bytes().to_vec(),
    }
}

fn subjects(store: &Store) -> Vec<String> {
    store
        .page(None, usize::MAX)
        .messages
        .into_iter()
        .map(|message| message.subject)
        .collect()
}

#[test]
fn the_folder_and_its_files_are_for_their_owner_only() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("data/mail");
    let store = Store::open(&folder).unwrap();
    store
        .keep(&mail(&["a@example.test"], "Subject: x\r\n\r\n"))
        .unwrap();

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for entry in fs::read_dir(&folder).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}

#[test]
fn a_mail_is_kept_once_for_each_recipient() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    for _ in 0..2 {
        store
            .keep(&mail(
                &["a@example.test", "b@example.test"],
                "Message-ID: <1@x>\r\n\r\n",
            ))
            .unwrap();
    }
    let mut recipients: Vec<_> = store
        .page(None, 9)
        .messages
        .into_iter()
        .map(|message| message.to)
        .collect();
    recipients.sort();
    assert_eq!(recipients, ["a@example.test", "b@example.test"]);
}

#[test]
fn pages_are_newest_first_and_meet_without_gap_or_overlap() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    for number in 0..5 {
        store
            .keep(&mail(
                &["a@example.test"],
                &format!("Subject: {number}\r\n\r\n"),
            ))
            .unwrap();
    }
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = store.page(before.as_ref(), 2);
        seen.extend(page.messages.into_iter().map(|message| message.subject));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["4", "3", "2", "1", "0"]);
    assert_eq!(store.page(None, 5).next, None);
}

#[test]
fn opening_again_finds_the_mails_in_order_and_drops_half_written_ones() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    for number in 0..3 {
        store
            .keep(&mail(
                &["a@example.test"],
                &format!("Subject: {number}\r\n\r\n"),
            ))
            .unwrap();
    }
    fs::write(home.path().join("half.tmp"), "Return-Path: <a@").unwrap();
    fs::write(
        home.path().join(format!("{}.eml", "0".repeat(64))),
        b"\xff\x00 not a mail",
    )
    .unwrap();
    fs::write(home.path().join("notes.txt"), "kept").unwrap();
    let before = store.page(None, 9);

    let store = Store::open(home.path()).unwrap();
    assert_eq!(store.page(None, 9).messages, before.messages);
    assert!(!home.path().join("half.tmp").exists());
    assert!(home.path().join("notes.txt").exists());
    store
        .keep(&mail(&["a@example.test"], "Subject: 0\r\n\r\n"))
        .unwrap();
    assert_eq!(subjects(&store), ["2", "1", "0"]);
}

#[test]
fn erasing_a_recipient_leaves_the_mails_of_others() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    store
        .keep(&mail(&["Gone@Example.test"], "Subject: one\r\n\r\n"))
        .unwrap();
    store
        .keep(&mail(
            &["stays@example.test", "gone@example.test"],
            "Subject: two\r\n\r\n",
        ))
        .unwrap();

    assert_eq!(store.delete_for("gone@example.test").unwrap(), 2);
    assert_eq!(store.delete_for("gone@example.test").unwrap(), 0);
    assert_eq!(subjects(&store), ["two"]);
    for entry in fs::read_dir(home.path()).unwrap() {
        let file = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!file.to_lowercase().contains("gone@example.test"));
    }
}

#[test]
fn a_mark_in_the_header_says_whose_mail_it_is() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let keep = |text: &str| store.keep(&mail(&["a@example.test"], text)).unwrap();
    keep("X-Recipient: 0123abcd\r\nSubject: goes\r\n\r\nHello");
    keep("Subject: stays\r\n\r\n0123abcd");
    assert_eq!(crate::erase_marked(home.path(), "0123abcd").unwrap(), 1);
    assert_eq!(crate::erase_marked(home.path(), "0123abcd").unwrap(), 0);
    assert_eq!(subjects(&store), ["stays"]);
    let nowhere = home.path().join("nowhere");
    assert_eq!(crate::erase_marked(&nowhere, "0123abcd").unwrap(), 0);
}

#[test]
fn what_is_too_old_goes_and_the_rest_stays() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let keep = |text: &str| store.keep(&mail(&["a@example.test"], text)).unwrap();
    keep("Subject: old\r\n\r\n");
    let moment = store.page(None, 1).messages[0].received_at + TimeDelta::microseconds(1);
    assert_eq!(
        store
            .delete_before(moment - TimeDelta::microseconds(1))
            .unwrap(),
        0
    );
    assert_eq!(store.delete_before(moment).unwrap(), 1);
    keep("Subject: new\r\n\r\n");
    assert_eq!(subjects(&store), ["new"]);
}

#[test]
fn shredding_reaches_the_bytes_on_disk_not_only_the_name() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    store
        .keep(&mail(&["a@example.test"], "Subject: secret\r\n\r\n"))
        .unwrap();
    let file = fs::read_dir(home.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let second_name = home.path().join("second-name");
    fs::hard_link(&file, &second_name).unwrap();

    store.delete_for("a@example.test").unwrap();
    assert!(!file.exists());
    assert!(fs::read(second_name).unwrap().iter().all(|byte| *byte == 0));
}

#[test]
fn an_unusable_folder_is_an_error_that_names_it() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Store::open(&file).unwrap_err();
    assert!(format!("{error:#}").contains(file.to_str().unwrap()));
}
