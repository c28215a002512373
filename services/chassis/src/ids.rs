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
}
