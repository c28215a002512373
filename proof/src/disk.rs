//! A disk of a program's own: a file system in a file, which can lose its power and be filled.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tempfile::TempDir;
use tokio::process::Command;

/// `EXT4_IOC_SHUTDOWN` with "no flush of the log": what is not on the disk yet is gone, and every
/// later access fails.
const CUT: &str = "import fcntl,os,struct,sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))";

/// An ext4 file system, unmounted when it is dropped.
#[derive(Debug)]
pub struct Disk {
    folder: TempDir,
    mounted: bool,
}

impl Disk {
    /// Makes and mounts one; needs root and loop devices.
    pub async fn new(size: &str) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("dipper-disk-").tempdir()?;
        let mut disk = Self {
            folder,
            mounted: false,
        };
        let image = disk.image();
        run("truncate", &["-s", size, &text(&image)]).await?;
        run("mkfs.ext4", &["-q", "-m", "0", &text(&image)]).await?;
        std::fs::create_dir(disk.path())?;
        disk.mount().await?;
        Ok(disk)
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("mounted")
    }

    /// Mounts it; the file system recovers by itself.
    pub async fn mount(&mut self) -> anyhow::Result<()> {
        run(
            "mount",
            &["-o", "loop", &text(&self.image()), &text(&self.path())],
        )
        .await?;
        self.mounted = true;
        Ok(())
    }

    /// Fills it to the last block, until the folder is removed that this answers.
    pub async fn fill(&self) -> anyhow::Result<TempDir> {
        let filler = tempfile::Builder::new()
            .prefix("filler-")
            .tempdir_in(self.path())?;
        // Large pieces first; what fails leaves less room than the piece.
        for piece in ["1G", "64M", "1M", "64K", "4K"] {
            let mut number = 0;
            loop {
                number += 1;
                let file = filler.path().join(format!("{piece}-{number}"));
                if run("fallocate", &["-l", piece, &text(&file)])
                    .await
                    .is_err()
                {
                    break;
                }
            }
        }
        Ok(filler)
    }

    /// Flushes what was written so far.
    pub async fn flush(&self) -> anyhow::Result<()> {
        run("sync", &["-f", &text(&self.path())]).await
    }

    /// The power fails.
    pub async fn cut_power(&self) -> anyhow::Result<()> {
        run("python3", &["-c", CUT, &text(&self.path())]).await
    }

    /// Takes it off; nobody may use it any more.
    pub async fn unmount(&mut self) -> anyhow::Result<()> {
        run("umount", &[&text(&self.path())]).await?;
        self.mounted = false;
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            // Lazily: processes that still use it end with the program too.
            let mut unmount = std::process::Command::new("umount");
            let _ = unmount.arg("-l").arg(self.path()).status();
        }
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

async fn run(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new(program).args(arguments).output().await;
    let output = output.with_context(|| format!("{program} does not run"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!("{program}: {}", why.lines().next().unwrap_or("it failed"));
    }
    Ok(())
}
