//! The three ways in which the system is run.

use std::path::{Path, PathBuf};

use chassis::database::Sql;
use chassis::nats_server::NatsServer;
use mail_catcher::MailCatcher;
use tempfile::TempDir;
use testkit::broker::{Broker, SERVICES, permissions};
use testkit::{
    Api, Birder, Launch, Mailbox, Postgres, Running, create_admin, databases, nats_server,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The program under test.
pub const DIPPER: &str = env!("CARGO_BIN_EXE_dipper");

/// A running system and what it keeps its data in.
pub struct System {
    pub api: Api,
    folder: TempDir,
    processes: Vec<Running>,
    postgres: Option<Postgres>,
    /// For processes that share a broker of the test's.
    broker: Option<NatsServer>,
    mail: CancellationToken,
}

impl System {
    /// `dipper up` on SQLite.
    pub async fn up() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let running = up(folder.path()).start().await;
        Self::new(Api::new(&running.url), folder, vec![running], None)
    }

    /// `dipper up` on PostgreSQL.
    pub async fn up_on_postgres() -> Self {
        let postgres = Postgres::start().await;
        let folder = tempfile::tempdir().unwrap();
        let running = up(folder.path())
            .env("DIPPER_DATABASE_URL", &postgres.url())
            .start()
            .await;
        Self::new(
            Api::new(&running.url),
            folder,
            vec![running],
            Some(postgres),
        )
    }

    /// Each service as a process of its own, against one broker.
    pub async fn seven_processes() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let broker = NatsServer::start(&nats_server(), &folder.path().join("nats"), &permissions())
            .await
            .unwrap();
        let (catcher, smtp, mail) = catch_mail(folder.path()).await;
        let mut processes = Vec::new();
        for service in SERVICES {
            let data = folder.path().to_string_lossy().into_owned();
            let launch = serve(service, folder.path())
                .env("DIPPER_DATABASE_URL", &format!("sqlite:{data}/db"))
                .env("DIPPER_SMTP_URL", &smtp);
            processes.push(launch.start().await);
        }
        let listeners = [
            ("/api/v1/auth", 1),
            ("/api/v1/users/me/lists", 0),
            ("/api/v1/users", 2),
            ("/api/v1/gdpr/requests", 2),
            ("/api/v1/gdpr/export", 2),
            ("/unsubscribe", 4),
            ("/api/v1/statistics", 5),
            ("/api/v1/admin", 6),
            ("/admin", 6),
            ("", 0),
        ];
        let listeners =
            listeners.map(|(front, place)| (front.to_owned(), processes[place].url.clone()));
        let api = Api::spread(listeners.to_vec(), Mailbox::Catcher(catcher));
        Self {
            broker: Some(broker),
            mail,
            ..Self::new(api, folder, processes, None)
        }
    }

    /// Everything in one process, beside three brokers that each have a copy of every stream.
    pub async fn on_cluster() -> (Self, Vec<Broker>) {
        let folder = tempfile::tempdir().unwrap();
        let brokers = Broker::start_cluster(folder.path(), 3).await;
        let (catcher, smtp, mail) = catch_mail(folder.path()).await;
        let data = folder.path().to_string_lossy().into_owned();
        let launch = serve("all", folder.path())
            .env("DIPPER_DATABASE_URL", &format!("sqlite:{data}/db"))
            .env("DIPPER_SMTP_URL", &smtp)
            .env("DIPPER_DIGEST_INTERVAL", "1s")
            .env("DIPPER_NATS_REPLICAS", "3");
        let running = launch.start().await;
        let listener = vec![(String::new(), running.url.clone())];
        let api = Api::spread(listener, Mailbox::Catcher(catcher));
        let system = Self {
            mail,
            ..Self::new(api, folder, vec![running], None)
        };
        (system, brokers)
    }

    fn new(api: Api, folder: TempDir, processes: Vec<Running>, postgres: Option<Postgres>) -> Self {
        Self {
            api,
            folder,
            processes,
            postgres,
            broker: None,
            mail: CancellationToken::new(),
        }
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The files of its PostgreSQL server.
    pub fn postgres_files(&self) -> PathBuf {
        self.postgres.as_ref().expect("it is on PostgreSQL").files()
    }

    /// The databases' tables that name somebody or something.
    pub async fn tables_naming(&self, id: Uuid) -> Vec<String> {
        match &self.postgres {
            Some(postgres) => databases::postgres_tables_naming(&postgres.url(), id).await,
            None => databases::sqlite_tables_naming(&self.folder().join("db"), id).await,
        }
    }

    /// Every table and column of a service's database.
    pub async fn columns_of(&self, service: &str) -> Vec<(String, String)> {
        if let Some(postgres) = &self.postgres {
            let schema = service.replace('-', "_");
            return databases::postgres_columns(&postgres.url(), &schema).await;
        }
        let file = self.folder().join("db").join(format!("{service}.db"));
        databases::sqlite_columns(&file).await
    }

    /// Every table and column of a service's database that holds bytes.
    pub async fn byte_columns_of(&self, service: &str) -> Vec<(String, String)> {
        if let Some(postgres) = &self.postgres {
            let schema = service.replace('-', "_");
            return databases::postgres_byte_columns(&postgres.url(), &schema).await;
        }
        let file = self.folder().join("db").join(format!("{service}.db"));
        databases::sqlite_byte_columns(&file).await
    }

    /// Ids and bytes of a service's rows, as a question asks for them.
    pub async fn values_of(&self, service: &str, question: String) -> Vec<(Uuid, Vec<u8>)> {
        if let Some(postgres) = &self.postgres {
            let schema = service.replace('-', "_");
            return databases::postgres_values(&postgres.url(), &schema, question).await;
        }
        let file = self.folder().join("db").join(format!("{service}.db"));
        databases::sqlite_values(&file, question).await
    }

    /// Folders of files that hold tables.
    pub fn database_files(&self) -> Vec<PathBuf> {
        match &self.postgres {
            Some(postgres) => vec![postgres.files().join("base")],
            None => vec![self.folder().join("db")],
        }
    }

    /// Changes a service's database behind its back.
    pub async fn execute(&self, service: &str, statement: Sql) {
        if let Some(postgres) = &self.postgres {
            let schema = service.replace('-', "_");
            databases::postgres_execute(&postgres.url(), &schema, statement.postgres).await;
        } else {
            let file = self.folder().join("db").join(format!("{service}.db"));
            databases::sqlite_execute(&file, statement.sqlite).await;
        }
    }

    /// Files of pictures that were not deleted.
    pub fn files_of(&self, image: Uuid) -> Vec<PathBuf> {
        let folder = self.folder().join("objects").join(image.to_string());
        std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect()
    }

    /// An admin of it.
    pub async fn admin(&self) -> Birder {
        admin_of(&self.api, self.folder()).await
    }

    /// Sends a signal to the process of a service that has one of its own, e.g. `STOP`.
    pub async fn signal(&self, service: &str, name: &str) {
        let place = SERVICES.iter().position(|user| *user == service);
        self.processes[place.unwrap()].signal(name).await;
    }

    /// Stops everything gracefully.
    pub async fn stop(self) {
        self.stop_and_keep().await;
    }

    /// Stops everything gracefully, and leaves what it kept its data in.
    pub async fn stop_and_keep(self) -> TempDir {
        for process in self.processes {
            assert_eq!(process.stop().await, Some(0), "it stops gracefully");
        }
        self.mail.cancel();
        if let Some(broker) = self.broker {
            broker.stop().await.unwrap();
        }
        self.folder
    }
}

/// Catches mail in a data folder: the catcher, its address and what ends it.
async fn catch_mail(folder: &Path) -> (MailCatcher, String, CancellationToken) {
    let catcher = MailCatcher::open(&folder.join("mail")).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let smtp = format!("smtp://{}", listener.local_addr().unwrap());
    let mail = CancellationToken::new();
    let (sink, end) = (catcher.clone(), mail.clone());
    tokio::spawn(async move { sink.serve_smtp(listener, end).await });
    (catcher, smtp, mail)
}

/// An admin of the instance on a folder.
pub async fn admin_of(api: &Api, folder: &Path) -> Birder {
    let (email, password) = ("admin@example.org", "a long secret word");
    create_admin(DIPPER, folder, email, password).await;
    api.log_in(email.to_owned(), password.to_owned()).await
}

/// `dipper up` on a folder, with digests that a test can wait for.
pub fn up(folder: &Path) -> Launch {
    Launch::up(DIPPER, folder).env("DIPPER_DIGEST_INTERVAL", "1s")
}

/// One service beside the broker whose credentials are in a folder.
pub fn serve(service: &str, folder: &Path) -> Launch {
    let data = folder.to_string_lossy();
    let arguments = [
        "serve",
        service,
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        &data,
    ];
    let credentials = format!("{data}/nats/credentials.json");
    Launch::new(DIPPER, &arguments).env("DIPPER_NATS_CREDENTIALS", &credentials)
}
