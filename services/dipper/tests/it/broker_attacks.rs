//! What somebody can do at the broker who has taken over a service: the table of attacks, each with its expected answer.

mod envelopes;
mod logins;
mod subjects;
