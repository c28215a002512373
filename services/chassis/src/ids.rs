//! Ids in any text: what a dead letter names, even when it is no event of ours.

use uuid::Uuid;

const HYPHENATED: usize = 36;
const SIMPLE: usize = 32;

/// Every id that is written in the bytes, with hyphens or without, in any case.
pub fn ids_in(bytes: &[u8]) -> Vec<Uuid> {
    let hyphenated = bytes
        .windows(HYPHENATED)
        .filter(|window| window.get(8) == Some(&b'-'))
        .filter_map(id);
    let simple = bytes
        .chunk_by(|a, b| a.is_ascii_hexdigit() == b.is_ascii_hexdigit())
        .filter(|run| run.len() == SIMPLE)
        .filter_map(id);
    let mut ids: Vec<Uuid> = hyphenated.chain(simple).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The text with the id of nobody instead of each id that is to be hidden.
pub fn hide_ids(text: &str, is_hidden: impl Fn(Uuid) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let (mut rest, mut before) = (text, None);
    while let Some(first) = rest.chars().next() {
        let length = match id_at(rest, before) {
            Some((id, length)) if is_hidden(id) && length == SIMPLE => {
                shown.push_str(&Uuid::nil().simple().to_string());
                length
            }
            Some((id, length)) if is_hidden(id) => {
                shown.push_str(&Uuid::nil().to_string());
                length
            }
            _ => {
                shown.push(first);
                first.len_utf8()
            }
        };
        let (passed, remaining) = rest.split_at(length);
        (rest, before) = (remaining, passed.bytes().last());
    }
    shown
}

/// The id that a text begins with, and how long it is there.
fn id_at(text: &str, before: Option<u8>) -> Option<(Uuid, usize)> {
    let bytes = text.as_bytes();
    if bytes.get(8) == Some(&b'-') {
        let id = bytes.get(..HYPHENATED).and_then(id);
        return id.map(|id| (id, HYPHENATED));
    }
    let is_digit = |byte: &u8| byte.is_ascii_hexdigit();
    // One of a longer row of digits is none.
    if before.as_ref().is_some_and(is_digit) || bytes.get(SIMPLE).is_some_and(is_digit) {
        return None;
    }
    let id = bytes.get(..SIMPLE).and_then(id);
    id.map(|id| (id, SIMPLE))
}

fn id(text: &[u8]) -> Option<Uuid> {
    Uuid::try_parse_ascii(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6f1c2a52-3e0b-4c83-9a57-0d3f4a1b7c11";

    fn found(text: &str) -> bool {
        ids_in(text.as_bytes()) == [Uuid::parse_str(ID).unwrap()]
    }

    #[test]
    fn an_id_is_found_wherever_it_stands_and_however_it_is_spelt() {
        assert!(found(&format!("dead.rate.update.v1.{ID}")));
        assert!(found(&format!("{{\"user\":{{\"id\":\"{ID}\"}}, broken")));
        assert!(found(&ID.to_uppercase()));
        assert!(found(&format!("/images/{}/2048.jpg", ID.replace('-', ""))));
        assert!(found(&format!("abc{ID}def {ID}")));
    }

    #[test]
    fn a_longer_number_is_no_id() {
        assert!(ids_in("ab".repeat(32).as_bytes()).is_empty());
        assert!(ids_in(b"").is_empty());
        assert!(ids_in(&[0xff; 100]).is_empty());
    }

    #[test]
    fn hidden_ids_are_replaced_in_any_form_and_others_stay() {
        let hidden = Uuid::parse_str(ID).unwrap();
        let other = Uuid::from_u128(7);
        let digits = hidden.simple().to_string();
        let text = format!("é {ID} {} {digits}, {other} f{digits}", ID.to_uppercase());
        let shown = hide_ids(&text, |id| id == hidden);
        let nil = Uuid::nil();
        assert_eq!(
            shown,
            format!("é {nil} {nil} {}, {other} f{digits}", nil.simple())
        );
        assert_eq!(hide_ids(&text, |_| false), text);
    }
}
