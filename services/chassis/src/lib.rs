//! What every service needs that is not its business: the microservice chassis.
//!
//! | module | is for |
//! |---|---|
//! | [`settings`] | flags over environment over file over defaults |
//! | [`service`] | what a service is built from and how it is run |
//! | [`ledger`] | who was erased, for as long as a backup may hold them |
//! | [`lifecycle`] | tasks, graceful stop; a task that dies stops the process |
//! | [`clock`] | time, ids and secrets |
//! | [`ids`] | ids in any text |
//! | [`keys`] | keys derived from the deployment's secret: sealing and keyed hashes |
//! | [`database`] | SQLite or PostgreSQL behind one session type |
//! | [`unit_of_work`] | a change and its events in one transaction |
//! | [`group_commit`] | many requests' changes in one transaction |
//! | [`audit`] | what was sent is compared with what consumers have, and repaired |
//! | [`outbox`] | the relay from the database to the broker |
//! | [`fence`] | erased people stay erased |
//! | [`erasure`] | what every service does alike when a person is erased |
//! | [`scrub`] | what was deleted goes from PostgreSQL's files |
//! | [`access`] | what a service holds about somebody, for their export |
//! | [`bus`] | the broker connection, streams, publishing |
//! | [`consumers`] | events to handlers: inbox, effect and new events in one transaction |
//! | [`deliveries`] | what became of every event, and what to do about those that failed |
//! | [`rebuild`] | a service's database built anew from the streams, beside the live one |
//! | [`restored`], [`returned`] | after a restore: nothing is served until who was erased since is erased again |
//! | [`rpc`] | questions between services |
//! | [`leftovers`] | what deleted rows have left in a SQLite file is overwritten |
//! | [`resealing`] | what an older key has sealed is sealed anew |
//! | [`retention`] | how early what is too old is overwritten |
//! | [`objects`] | the picture store |
//! | [`sealed_file`] | files that are sealed while they are written |
//! | [`http`] | problem documents, extractors, the layers around all routes |
//! | [`trace`] | what one request sets off, from its answer to the last effect |
//! | [`telemetry`] | logs and metrics |
//! | [`fault`] | mistakes made on purpose, for the proof set |
//! | [`nats_server`] | a nats-server as a child process |

pub mod access;
pub mod audit;
pub mod bus;
pub mod clock;
pub mod consumers;
pub mod database;
pub mod deliveries;
pub mod erasure;
pub mod fault;
pub mod fence;
pub mod group_commit;
pub mod http;
pub mod ids;
pub mod keys;
pub mod ledger;
pub mod leftovers;
pub mod lifecycle;
pub mod nats_server;
pub mod objects;
pub mod outbox;
pub mod rebuild;
pub mod resealing;
pub mod restored;
pub mod retention;
pub mod returned;
pub mod rpc;
pub mod scrub;
pub mod sealed_file;
pub mod service;
pub mod settings;
pub mod telemetry;
pub mod trace;
pub mod unit_of_work;

pub use service::{Chassis, Service};
