//! The commands about keys.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Seal everything anew with a new key and destroy the old one, while the instance runs. A secret in keys/ is
    /// made anew; one that is a setting is followed by the one that is set beside it as `new_secret`. Whoever breaks
    /// it off runs it again. Backups made before need the old keys: see --keep.
    Rotate(Rotate),
    /// Take in keys that were kept from before a rotation, to restore what was backed up then. The next rotation
    /// destroys them again.
    Admit(Admit),
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Data folder of the running instance [default: ./dipper-data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Copy the keys as they are into this new folder first, for `dipper keys admit`.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Admit {
    /// The folder that they were kept in.
    #[arg(value_name = "DIR")]
    pub kept: PathBuf,
    /// Data folder of the instance, whether it runs or not [default: ./dipper-data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Keys {
    /// The data folder, if one is named.
    pub fn data_dir(&self) -> Option<String> {
        let folder = match self {
            Self::Rotate(rotate) => &rotate.data_dir,
            Self::Admit(admit) => &admit.data_dir,
        };
        folder.as_ref().map(|path| path.display().to_string())
    }
}
