//! The steps of a rotation. Each leaves files from which the next can be done, whoever is killed where:
//! a new secret, then a ring with a new key that old and new secret open, then a ring without the old key, then
//! one that the new secret alone opens.

use anyhow::{Context as _, ensure};

use super::ring::{OpenRing, Ring, WrappedRing};
use super::{Keys, MASTER, Master, MasterSecret, replace_private, write_private};
use crate::sealed_file::destroy;

/// The secret that comes next, until it is in place.
const NEXT: &str = "master.next";
/// A secret that opens a ring begins with this, so that nobody takes it for a first one.
const ROTATED: &str = "ring-";

/// Where a rotation stands when it is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// A new key seals from now on.
    New,
    /// One that was broken off goes on, or keys of an old backup are to be retired.
    Resumed,
    /// The old keys are gone already; what is left is the old secret.
    Switching,
}

/// What is left to do after the old keys are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// Nothing.
    Completely,
    /// The processes still have the old secret in their settings.
    WithOldSecret,
}

/// Whether a secret is one that opens a ring.
pub(super) fn was_rotated(secret: &str) -> bool {
    secret.starts_with(ROTATED)
}

impl Keys {
    /// Begins a rotation, or goes on with one. A secret that is a setting is followed by the one given here.
    pub fn begin_rotation(&self, new_secret: Option<&str>) -> anyhow::Result<Begun> {
        let mut open = self.opened()?;
        if !open.ring.older().is_empty() {
            return Ok(Begun::Resumed);
        }
        if open.is_for_several() {
            return Ok(Begun::Switching);
        }
        let next = self.next_secret(new_secret)?;
        ensure!(
            !open.is_newest(next),
            "the new secret is the one that is in use"
        );
        open.ring.renew();
        open.wrap_for(next);
        open.write(self.0.folder()?)?;
        Ok(Begun::New)
    }

    /// The keys that have sealed before the newest, by their numbers.
    pub fn older(&self) -> Vec<u32> {
        self.0.ring().older()
    }

    /// Destroys the older keys, when nothing is sealed with them any more, and the older secret.
    pub fn finish_rotation(&self) -> anyhow::Result<Finished> {
        let folder = self.0.folder()?;
        let mut open = self.opened()?;
        if !open.ring.older().is_empty() {
            open.ring.drop_older();
            open.write(folder)?;
        }
        if !open.is_for_several() {
            return Ok(Finished::Completely);
        }
        self.put_next_secret_in_place()?;
        let master = self.0.master()?;
        if !open.is_newest(master) {
            return Ok(Finished::WithOldSecret);
        }
        OpenRing::new(open.ring, master).write(folder)?;
        Ok(Finished::Completely)
    }

    /// Takes in the keys that an old backup needs; the next rotation retires them.
    pub fn admit(&self, old: &Self) -> anyhow::Result<()> {
        let mut open = self.opened()?;
        open.ring.admit(&old.0.ring())?;
        open.write(self.0.folder()?)
    }

    fn opened(&self) -> anyhow::Result<OpenRing> {
        let (folder, master) = (self.0.folder()?, self.0.master()?);
        match WrappedRing::read(folder)? {
            Some(wrapped) => wrapped.open(master),
            None => Ok(OpenRing::new(Ring::first(master), master)),
        }
    }

    fn next_secret(&self, given: Option<&str>) -> anyhow::Result<Master> {
        let folder = self.0.folder()?;
        super::create_private_folder(folder)?;
        if let MasterSecret::Given(_) = self.0.secret {
            let given = given.context(
                "the secret is a setting: give the new one as DIPPER_NEW_SECRET, beside DIPPER_SECRET",
            )?;
            return Master::of(given).context("DIPPER_NEW_SECRET");
        }
        ensure!(
            given.is_none(),
            "the secret is in {}, not in a setting: a new one is made, and none is to be given",
            folder.join(MASTER).display()
        );
        let path = folder.join(NEXT);
        // One that was left here is whole only if its writing was not broken off.
        let text = format!("{ROTATED}{}", hex::encode(rand::random::<[u8; 32]>()));
        destroy(&path)?;
        write_private(&path, &text)?;
        std::fs::File::open(folder)?.sync_all()?;
        Master::of(&text)
    }

    /// A secret in a file is replaced; one in a setting is its operator's.
    fn put_next_secret_in_place(&self) -> anyhow::Result<()> {
        let folder = self.0.folder()?;
        let next = folder.join(NEXT);
        if let Ok(text) = std::fs::read_to_string(&next) {
            replace_private(&folder.join(MASTER), &text)?;
            destroy(&next)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const PLACE: &str = "row 1";

    fn opens(keys: &Keys, sealed: &[u8]) -> bool {
        keys.sealing("test").open(PLACE, sealed).is_ok()
    }

    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }

    #[test]
    fn readers_follow_a_rotation_and_the_old_key_opens_nothing_new() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let reader = Keys::open(folder.path()).unwrap();
        let first = reader.purpose("anything").seal(PLACE, b"x");
        let old = reader.sealing("test").seal(PLACE, b"x");
        let hashes: Vec<_> = HASHING_AND_MORE
            .iter()
            .map(|name| reader.purpose(name).hash(b"x"))
            .collect();
        copy(folder.path(), elsewhere.path());

        let keys = Keys::open(folder.path()).unwrap();
        assert_eq!(keys.begin_rotation(None).unwrap(), Begun::New);
        assert_eq!(keys.begin_rotation(None).unwrap(), Begun::Resumed);
        assert!(opens(&reader, &old));
        let new = reader.sealing("test").seal(PLACE, b"x");
        assert_eq!(keys.finish_rotation().unwrap(), Finished::Completely);
        assert!(opens(&reader, &new) && !opens(&reader, &old));
        let now = HASHING_AND_MORE
            .iter()
            .map(|name| reader.purpose(name).hash(b"x"));
        assert!(now.eq(hashes));

        let lost = Keys::open(elsewhere.path()).unwrap();
        assert!(opens(&lost, &old) && !opens(&lost, &new));
        assert!(lost.purpose("anything").open(PLACE, &first).is_ok());
        // Nor does it open the ring.
        std::fs::copy(
            folder.path().join("ring.json"),
            elsewhere.path().join("ring.json"),
        )
        .unwrap();
        assert!(Keys::open(elsewhere.path()).is_err());
        keys.admit(&lost).unwrap();
        assert!(opens(&reader, &old) && opens(&reader, &new));
        assert_eq!(keys.begin_rotation(None).unwrap(), Begun::Resumed);
    }

    const HASHING_AND_MORE: [&str; 3] = ["fence", "ledger", "erasure receipt"];

    #[test]
    fn whoever_is_killed_between_two_steps_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path()).unwrap();
        let fence = keys.purpose("fence").hash(b"x");
        // A new secret without a ring.
        keys.next_secret(None).unwrap();
        assert_eq!(keys.begin_rotation(None).unwrap(), Begun::New);
        // The old key is gone, the old secret is not.
        let mut open = keys.opened().unwrap();
        open.ring.drop_older();
        open.write(folder.path()).unwrap();
        assert_eq!(keys.begin_rotation(None).unwrap(), Begun::Switching);
        // Both secrets are in place.
        let next = std::fs::read_to_string(folder.path().join(NEXT)).unwrap();
        replace_private(&folder.path().join(MASTER), &next).unwrap();
        assert_eq!(keys.begin_rotation(None).unwrap(), Begun::Switching);
        assert_eq!(keys.finish_rotation().unwrap(), Finished::Completely);
        assert!(!folder.path().join(NEXT).exists());
        let again = Keys::open(folder.path()).unwrap();
        assert_eq!(again.purpose("fence").hash(b"x"), fence);
        assert_eq!((again.newest(), again.older()), (2, Vec::new()));
    }

    #[test]
    fn a_secret_in_a_setting_is_changed_by_its_operator() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = ("1".repeat(32), "2".repeat(32));
        let old = Keys::with_secret(&one, folder.path()).unwrap();
        assert!(old.begin_rotation(None).is_err());
        assert!(old.begin_rotation(Some(&one)).is_err());
        assert_eq!(old.begin_rotation(Some(&two)).unwrap(), Begun::New);
        assert_eq!(old.finish_rotation().unwrap(), Finished::WithOldSecret);
        let new = Keys::with_secret(&two, folder.path()).unwrap();
        assert_eq!(new.begin_rotation(None).unwrap(), Begun::Switching);
        assert_eq!(new.finish_rotation().unwrap(), Finished::Completely);
        assert!(Keys::with_secret(&one, folder.path()).is_err());
    }

    #[test]
    fn a_secret_without_its_ring_is_not_taken_for_a_first_one() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path()).unwrap();
        keys.begin_rotation(None).unwrap();
        keys.finish_rotation().unwrap();
        std::fs::remove_file(folder.path().join("ring.json")).unwrap();
        let why = Keys::open(folder.path()).unwrap_err();
        assert!(why.to_string().contains("ring.json"), "{why}");
    }
}
