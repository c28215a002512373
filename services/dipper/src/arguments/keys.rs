//! The commands about keys.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Seal everything anew with a new key and destroy the old one, while the instance runs. A secret that
    /// DIPPER_SECRET gives is followed by DIPPER_NEW_SECRET; one in keys/ is made anew. Whoever breaks it off runs
    /// it again. Backups made before need the old keys: see --keep.
    Rotate(Rotate),
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Data folder of the running instance [default: ./dipper-data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Copy the keys as they are into this new folder first, for `dipper restore --old-keys`.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

impl Keys {
    pub const fn data_dir(&self) -> &Option<PathBuf> {
        let Self::Rotate(rotate) = self;
        &rotate.data_dir
    }
}
