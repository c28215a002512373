//! Messages that name a person and that no service could read: dead letters. Nobody knows what in
//! them is whose, so every id that is not the person's is hidden.

use archive::Letter;
use chassis::ids::hide_ids;
use envelope::{ImageId, UserId};
use uuid::Uuid;

use crate::App;
use crate::dead_letters::{ids_of, read};

/// What stands before the original subject.
const DEAD: &str = "dead.";

/// All dead letters that name the person or a photo of theirs.
pub(super) async fn all(
    app: &App,
    user: UserId,
    images: &[ImageId],
) -> anyhow::Result<Vec<Letter>> {
    let is_own = |id: &Uuid| *id == user.0 || images.contains(&ImageId(*id));
    let (mut letters, mut next) = (Vec::new(), 1);
    loop {
        let batch = read(app, next).await?;
        let Some(last) = batch.last() else {
            return Ok(letters);
        };
        next = last.sequence + 1;
        let named = batch
            .iter()
            .filter(|message| ids_of(message).iter().any(is_own));
        letters.extend(named.map(|message| Letter {
            at: message.time,
            subject: kind(&message.subject),
            text: hide_ids(&String::from_utf8_lossy(&message.payload), |id| {
                !is_own(&id)
            }),
        }));
    }
}

/// A subject without its key: `tick.new.v1`.
fn kind(subject: &str) -> String {
    let subject = subject.strip_prefix(DEAD).unwrap_or(subject);
    subject.splitn(4, '.').take(3).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_named_without_its_key() {
        assert_eq!(kind("dead.tick.new.v1.somebody"), "tick.new.v1");
        assert_eq!(kind("dead.nonsense"), "nonsense");
    }
}
