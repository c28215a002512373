use super::*;

const URL: &str = "https://birds.example";

fn told(event: u128, image: u128, rating: i64) -> Told {
    Told {
        event: EventId(Uuid::from_u128(event)),
        image: ImageId(Uuid::from_u128(image)),
        rating,
        trace: None,
    }
}

#[test]
fn a_mails_id_follows_from_its_events_in_any_order() {
    let [a, b] = [1, 2].map(|number| EventId(Uuid::from_u128(number)));
    assert_eq!(mail_id(&[a, b]), mail_id(&[b, a]));
    assert_ne!(mail_id(&[a, b]), mail_id(&[a]));
    assert_eq!(mail_id(&[a]).get_version_num(), 5);
}

#[test]
fn one_rating_is_told_with_its_picture_and_a_way_out() {
    let letter = ratings(URL, (Language::English, "Ada"), &[told(1, 7, 4)], "secret").unwrap();
    let image = Uuid::from_u128(7);
    assert_eq!(letter.subject, "Your picture was rated 4 of 5");
    assert!(letter.text.starts_with("Hello Ada,\n"), "{}", letter.text);
    assert!(
        letter
            .text
            .contains(&format!("{URL}/images/{image}/2048.jpg"))
    );
    assert!(letter.text.ends_with(&format!("{URL}/unsubscribe/secret")));
    assert!(
        letter
            .html
            .contains(&format!("<img src=\"{URL}/images/{image}/400.jpg\""))
    );
    assert_eq!(
        letter.unsubscribe.as_deref(),
        Some("https://birds.example/unsubscribe/secret")
    );
}

#[test]
fn ratings_of_one_picture_stand_together() {
    let letter = ratings(
        URL,
        (Language::English, ""),
        &[told(1, 7, 4), told(2, 8, 1), told(3, 7, 5)],
        "x",
    )
    .unwrap();
    assert_eq!(letter.subject, "3 new ratings of your pictures");
    assert!(letter.text.starts_with("Hello,\n"), "{}", letter.text);
    assert!(letter.text.contains("rated 2 times: 4 and 5 of 5"));
    assert!(letter.text.contains("rated 1 of 5"));
    assert_eq!(letter.html.matches("<img").count(), 2);
}

#[test]
fn a_long_digest_is_summed_up() {
    let many: Vec<Told> = (0..50).map(|number| told(number, number, 3)).collect();
    let letter = ratings(URL, (Language::English, "Ada"), &many, "x").unwrap();
    assert_eq!(letter.html.matches("<img").count(), MOST_PICTURES);
    assert!(letter.text.contains("30 more pictures"), "{}", letter.text);
}

#[test]
fn names_cannot_bring_markup_along() {
    let letter = ratings(
        URL,
        (Language::English, "<b>Ada</b>"),
        &[told(1, 7, 4)],
        "x",
    )
    .unwrap();
    assert!(!letter.html.contains("<b>Ada"), "{}", letter.html);
    assert!(letter.text.contains("<b>Ada</b>"));
}

#[test]
fn the_confirmation_link_holds_the_token() {
    let letter = account(
        URL,
        (Language::English, "Ada"),
        AccountMail::Confirm,
        "t0ken",
    )
    .unwrap();
    assert!(
        letter.text.contains("https://birds.example/?token=t0ken\n"),
        "{}",
        letter.text
    );
    assert!(
        letter
            .html
            .contains("href=\"https://birds.example/?token=t0ken\"")
    );
    assert_eq!(letter.unsubscribe, None);
}

#[test]
fn the_link_to_a_new_password_leads_to_the_page_where_it_is_chosen() {
    for language in Language::ALL {
        let letter = account(URL, (language, "Ada"), AccountMail::Reset, "t0ken").unwrap();
        let link = "https://birds.example/?token=t0ken#reset";
        assert!(letter.text.contains(link), "{}", letter.text);
        assert!(letter.html.contains(&format!("href=\"{link}\"")));
        let told = account(URL, (language, "Ada"), AccountMail::PasswordChanged, "").unwrap();
        assert!(!told.text.contains("token"), "{}", told.text);
    }
}

#[test]
fn a_new_address_is_told_the_link_and_the_old_one_is_not() {
    let new = account(
        URL,
        (Language::English, ""),
        AccountMail::ConfirmAddress,
        "t0ken",
    )
    .unwrap();
    let link = "https://birds.example/?token=t0ken";
    assert!(new.text.contains(link) && new.html.contains(link));
    let old = account(
        URL,
        (Language::English, "Ada"),
        AccountMail::AddressChanging,
        "",
    )
    .unwrap();
    assert!(old.text.contains("to change"), "{}", old.text);
    assert!(!old.text.contains("token=") && !old.html.contains("token="));
}

#[test]
fn the_code_stands_in_both_parts_and_in_no_link() {
    let letter = account(
        URL,
        (Language::English, "Ada"),
        AccountMail::Code,
        "12345678",
    )
    .unwrap();
    assert!(letter.text.contains("\n    12345678\n"), "{}", letter.text);
    assert!(letter.html.contains("12345678"));
    assert!(!letter.html.contains("token="));
}

#[test]
fn who_is_registered_already_gets_no_secret() {
    let letter = account(
        URL,
        (Language::English, "Ada"),
        AccountMail::AlreadyRegistered,
        "",
    )
    .unwrap();
    assert!(letter.text.contains("already"), "{}", letter.text);
    assert!(!letter.text.contains("token="));
}

#[test]
fn who_reads_swedish_gets_swedish() {
    let swedish = (Language::Swedish, "Åsa");
    let one = ratings(URL, swedish, &[told(1, 7, 4)], "secret").unwrap();
    assert_eq!(one.subject, "Din bild fick betyget 4 av 5");
    assert!(one.text.starts_with("Hej Åsa!\n"), "{}", one.text);
    assert!(one.text.ends_with(&format!("{URL}/unsubscribe/secret")));
    let more = [told(1, 7, 4), told(2, 8, 1), told(3, 7, 5)];
    let more = ratings(URL, swedish, &more, "secret").unwrap();
    assert_eq!(more.subject, "3 nya betyg på dina bilder");
    assert!(more.text.contains("2 betyg: 4 och 5 av 5"), "{}", more.text);
    let code = account(URL, swedish, AccountMail::Code, "12345678").unwrap();
    assert_eq!(code.subject, "Din kod från Dipper");
    assert!(code.text.contains("\n    12345678\n"), "{}", code.text);
}
