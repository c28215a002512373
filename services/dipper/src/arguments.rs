//! The command line.

mod keys;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clients::auth::Role;
use uuid::Uuid;

use crate::names::ServiceName;
pub(crate) use keys::{Keys, Rotate};

/// Dipper: tick birds, rate photos, and a system of events behind it that forgets when asked to.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Every setting can also be given as DIPPER_<NAME> or in the file named by --config; `dipper config` shows them all."
)]
pub(crate) struct Arguments {
    /// Configuration file (TOML).
    #[arg(long, global = true, env = "DIPPER_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything in this process, with its own nats-server, databases and mail catcher.
    Up(Up),
    /// Run some services against a broker and a database.
    Serve(Serve),
    /// The event catalogue.
    #[command(subcommand)]
    Catalogue(Catalogue),
    /// What is kept about whom, where, why and for how long.
    #[command(subcommand)]
    DataMap(DataMap),
    /// What is left of somebody.
    #[command(subcommand)]
    Erase(Erase),
    /// Back up databases, streams and photos, sealed, whether the instance runs or not. Deletes backups whose
    /// life is over.
    Backup(Backup),
    /// Bring a backup back into a data folder that has the instance's keys and its ledger of erased people. At
    /// its next start the instance serves nothing until everybody who was erased since is erased again.
    Restore(Restore),
    /// Examine configuration, broker, databases, keys, clocks and disks, and say what to do. Changes nothing;
    /// ends with 1 if anything fails.
    Doctor(RunningInstance),
    /// Tell how long each store keeps what is in it, and how old the oldest of it is.
    Retention(RunningInstance),
    /// The keys that everything is sealed with.
    #[command(subcommand)]
    Keys(Keys),
    /// Accounts.
    #[command(subcommand)]
    User(User),
    /// Take somebody in from another instance, with the archive that they were given there, whether this one runs
    /// or not.
    Import(Import),
    /// Tell all about an event: who produced it, who handled it, where it is, what followed from it.
    Explain(Explain),
    /// Build a service's database anew from the streams, beside the live one, and compare the two.
    Rebuild(Rebuild),
    /// Score pictures as ScoreModel does, and say why. Ends with 1 if one of them cannot be judged.
    Score(Score),
    /// Print the effective configuration, secrets masked.
    Config,
}

#[derive(Debug, Args)]
pub(crate) struct Score {
    /// JPEG, PNG or WebP files.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Print one JSON object a line instead.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Where everything is kept [default: ./dipper-data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// The nats-server to start, 2.15.1 or later [default: the one on the PATH].
    #[arg(long, value_name = "PATH")]
    nats_server: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Which services.
    #[arg(required = true, value_name = "NAME")]
    pub services: Vec<ServiceName>,
    /// Where to listen [default: 127.0.0.1 and a port of the service's own, 8081 to 8087; 8080 for several].
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Folder of pictures and keys, shared by the services of one machine [default: ./dipper-data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Bring streams that differ from the catalogue to what it says, instead of refusing to start.
    #[arg(long)]
    pub update_streams: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Catalogue {
    /// List all events: version, stream, retention, producer, consumers.
    List,
    /// Check that published schemas are unchanged and that minor versions stay compatible.
    Check {
        /// The folder of published schemas.
        #[arg(long, default_value = "schemas", value_name = "DIR")]
        schemas: PathBuf,
    },
    /// Tell who still reads an old major version of an event, and no newer one.
    Readers(OldVersion),
    /// Retire an old major version of an event: from then on the broker refuses it. Refused while
    /// somebody reads it only.
    Retire(OldVersion),
    /// Write the catalogue for others.
    Export {
        /// What to write.
        #[arg(long)]
        format: ExportFormat,
        /// Into which folder.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataMap {
    /// List every field, column, stream and folder: whose it is, which kind, what for, how long, what an
    /// erasure does.
    List,
    /// Write the records of processing (Art. 30 GDPR) as JSON and as a page, and the privacy notice's tables.
    Export {
        /// Into which folder.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Erase {
    /// Search every byte of every store: in any case, as UTF-16, base64, hex, JSON, a UUID's bytes, inside
    /// gzip and zip too. Ends with 1 if anything is found, with 2 if something cannot be read.
    Scan(Scan),
    /// Tell whether the receipt of an erasure is genuine, and what it says. Ends with 1 if it is not.
    VerifyReceipt(VerifyReceipt),
    /// Print the public key by which anybody can tell that this deployment's receipts are genuine.
    ReceiptKey(ReceiptKey),
}

#[derive(Debug, Args)]
pub(crate) struct VerifyReceipt {
    /// A file with the receipt: the signed line alone, or the answer of the status address. `-` is standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The public key, as `dipper erase receipt-key` prints it [default: that of the data folder's deployment].
    #[arg(long, value_name = "HEX")]
    pub key: Option<String>,
    /// Data folder of the instance [default: ./dipper-data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ReceiptKey {
    /// Data folder of the instance [default: ./dipper-data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Scan {
    /// Data folder of the instance, whether it runs or not [default: ./dipper-data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// What to search for: an id, an address, a name. May be given several times.
    #[arg(long = "needle", required = true, num_args = 1.., value_name = "STRING")]
    pub needles: Vec<String>,
    /// More folders: PostgreSQL's data, a broker's store elsewhere, logs, backups.
    #[arg(long, value_name = "DIR")]
    pub also: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct OldVersion {
    /// Event and major: rate.update@1, or rate@1 if only one event of that name has such a version.
    #[arg(value_name = "NAME@MAJOR")]
    pub name: String,
    /// Data folder of the running instance, unless a broker is configured [default: ./dipper-data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ExportFormat {
    /// An AsyncAPI 3 document.
    Asyncapi,
    /// A page to read.
    Html,
    /// A JSON Schema per event version.
    Schemas,
    /// The logins of a nats-server, and what each may do.
    Nats,
    /// What each login could do if somebody took it over, as a table.
    Takeover,
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// Where backups are kept, each in a folder named by its time. The keys and the ledger of erased people
    /// are not part of it: keep copies of those elsewhere.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Data folder of the instance [default: ./dipper-data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The nats-server to use while the instance does not run.
    #[arg(long, value_name = "PATH")]
    nats_server: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// A backup, or the folder of several, of which the newest is taken.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Data folder to restore into; no instance may run on it [default: ./dipper-data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Only a part, in place of what is there: the databases with the photos, or the streams.
    #[arg(long, value_enum)]
    pub only: Option<Only>,
    /// Take the place of what is there.
    #[arg(long)]
    pub replace: bool,
    /// The nats-server to bring the streams back with.
    #[arg(long, value_name = "PATH")]
    nats_server: Option<PathBuf>,
}

/// A part of a backup.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Only {
    /// The databases and the photos.
    Databases,
    /// The streams.
    Streams,
}

#[derive(Debug, Args)]
pub(crate) struct RunningInstance {
    /// Data folder of the running instance, unless a broker is configured [default: ./dipper-data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The event's id.
    #[arg(value_name = "EVENT_ID")]
    pub event: Uuid,
    /// Data folder of the running instance, unless a broker is configured [default: ./dipper-data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Rebuild {
    /// Which: statistics. The others also keep what no stream tells.
    #[arg(value_name = "NAME")]
    pub service: ServiceName,
    /// When it takes the live one's place.
    #[arg(long, value_enum, default_value_t)]
    pub switch: SwitchWhen,
    /// How many events it may read in a second [default: as many as it can].
    #[arg(long, value_name = "EVENTS", value_parser = clap::value_parser!(u32).range(1..))]
    pub per_second: Option<u32>,
    /// End the one that runs, instead of beginning one.
    #[arg(long)]
    pub cancel: bool,
    /// Data folder of the running instance, unless a broker is configured [default: ./dipper-data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum SwitchWhen {
    /// It does not; only the comparison is wanted.
    Never,
    /// If all tables are equal.
    #[default]
    IfEqual,
    /// Whatever the comparison says.
    Always,
}

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Create a confirmed account, whether the instance runs or not.
    Create(CreateUser),
}

#[derive(Debug, Args)]
pub(crate) struct CreateUser {
    /// Address to log in with.
    #[arg(long)]
    pub email: String,
    /// Name that is shown.
    #[arg(long)]
    pub name: String,
    /// What the account may do: birder, moderator or admin.
    #[arg(long, default_value = "birder")]
    pub role: Role,
    /// Read the password from standard input instead of making one.
    #[arg(long)]
    pub password_stdin: bool,
    /// Data folder of the instance [default: ./dipper-data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The nats-server to use while the instance does not run.
    #[arg(long, value_name = "PATH")]
    nats_server: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The archive, as it was downloaded.
    #[arg(value_name = "ARCHIVE.zip")]
    pub archive: PathBuf,
    /// What the account may do: birder, moderator or admin. What the archive says does not count.
    #[arg(long, default_value = "birder")]
    pub role: Role,
    /// Read the new password from standard input instead of making one.
    #[arg(long)]
    pub password_stdin: bool,
    /// Data folder of the instance [default: ./dipper-data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The nats-server to use while the instance does not run.
    #[arg(long, value_name = "PATH")]
    nats_server: Option<PathBuf>,
}

impl Erase {
    fn data_dir(&self) -> Option<String> {
        let folder = match self {
            Self::Scan(scan) => &scan.data_dir,
            Self::VerifyReceipt(verify) => &verify.data_dir,
            Self::ReceiptKey(key) => &key.data_dir,
        };
        folder.as_ref().map(|path| path.display().to_string())
    }
}

impl Catalogue {
    /// Whether the command is about a running broker, not about the catalogue alone.
    pub const fn asks_the_broker(&self) -> bool {
        matches!(self, Self::Readers(_) | Self::Retire(_))
    }
}

impl Command {
    /// The flags that are settings.
    pub fn settings(&self) -> toml::Table {
        let mut table = toml::Table::new();
        let mut set = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                table.insert(key.to_owned(), value.into());
            }
        };
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        match self {
            Self::Up(up) => {
                set("data_dir", path(&up.data_dir));
                set("listen", up.listen.map(|address| address.to_string()));
                set("nats_server", path(&up.nats_server));
            }
            Self::Serve(serve) => {
                set("data_dir", path(&serve.data_dir));
                set("listen", serve.listen.map(|address| address.to_string()));
            }
            Self::Catalogue(Catalogue::Readers(old) | Catalogue::Retire(old)) => {
                set("data_dir", path(&old.data_dir));
            }
            Self::Erase(erase) => set("data_dir", erase.data_dir()),
            Self::Backup(backup) => {
                set("data_dir", path(&backup.data_dir));
                set("nats_server", path(&backup.nats_server));
            }
            Self::Restore(restore) => {
                set("data_dir", path(&restore.data_dir));
                set("nats_server", path(&restore.nats_server));
            }
            Self::Keys(keys) => set("data_dir", keys.data_dir()),
            Self::Doctor(instance) | Self::Retention(instance) => {
                set("data_dir", path(&instance.data_dir));
            }
            Self::Explain(explain) => set("data_dir", path(&explain.data_dir)),
            Self::Rebuild(rebuild) => set("data_dir", path(&rebuild.data_dir)),
            Self::Import(import) => {
                set("data_dir", path(&import.data_dir));
                set("nats_server", path(&import.nats_server));
            }
            Self::User(User::Create(create)) => {
                set("data_dir", path(&create.data_dir));
                set("nats_server", path(&create.nats_server));
            }
            Self::Catalogue(_) | Self::DataMap(_) | Self::Score(_) | Self::Config => {}
        }
        table
    }
}
