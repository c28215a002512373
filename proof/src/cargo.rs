//! Building the product.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

/// Builds the dipper of this source, with features of its, beside this program. Together with the
/// workspace: alone it would be built with other features of its dependencies, all of them anew.
pub async fn build(features: &[&str]) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().context("this program is in no folder")?;
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = tokio::process::Command::new("cargo")
        .args(["build", "--quiet", "--locked", "--workspace"])
        .args(["--bin", "dipper", "--features", &features.join(",")])
        .current_dir(workspace)
        .status()
        .await
        .context("cargo does not run")?;
    ensure!(cargo.success(), "dipper cannot be built");
    Ok(folder.join("dipper"))
}
