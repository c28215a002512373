//! The seven services by name.

use chassis::database::Migrator;
use chassis::{Chassis, Service};
use clap::ValueEnum;

/// A service, or all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServiceName {
    TickApi,
    AuthApi,
    UserApi,
    ScoreModel,
    Notifier,
    Statistics,
    AdminApi,
    All,
}

/// The seven, in the order of the ports that they listen on when each is alone.
pub(crate) const ALL: [ServiceName; 7] = [
    ServiceName::TickApi,
    ServiceName::AuthApi,
    ServiceName::UserApi,
    ServiceName::ScoreModel,
    ServiceName::Notifier,
    ServiceName::Statistics,
    ServiceName::AdminApi,
];

/// The services that have a database, with their tables.
pub(crate) static TABLES: [(&str, &Migrator); 6] = [
    (tick_api::NAME, &tick_api::MIGRATIONS),
    (auth_api::NAME, &auth_api::MIGRATIONS),
    (user_api::NAME, &user_api::MIGRATIONS),
    (notifier::NAME, &notifier::MIGRATIONS),
    (statistics::NAME, &statistics::MIGRATIONS),
    (admin_api::NAME, &admin_api::MIGRATIONS),
];

impl ServiceName {
    /// As it is called everywhere; also its user at the broker.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TickApi => tick_api::NAME,
            Self::AuthApi => auth_api::NAME,
            Self::UserApi => user_api::NAME,
            Self::ScoreModel => score_model::NAME,
            Self::Notifier => notifier::NAME,
            Self::Statistics => statistics::NAME,
            Self::AdminApi => admin_api::NAME,
            Self::All => "all",
        }
    }

    /// Builds the service.
    pub async fn build(self, chassis: &Chassis) -> anyhow::Result<Service> {
        match self {
            Self::TickApi => tick_api::service(chassis).await,
            Self::AuthApi => auth_api::service(chassis).await,
            Self::UserApi => user_api::service(chassis).await,
            Self::ScoreModel => score_model::service(chassis).await,
            Self::Notifier => notifier::service(chassis).await,
            Self::Statistics => statistics::service(chassis).await,
            Self::AdminApi => admin_api::service(chassis).await,
            Self::All => anyhow::bail!("all is no single service"),
        }
    }

    /// The services meant by a list of names: each once, in our order.
    pub fn expand(names: &[Self]) -> Vec<Self> {
        let every = names.contains(&Self::All);
        ALL.into_iter()
            .filter(|name| every || names.contains(name))
            .collect()
    }

    /// The port that services listen on when none is named: 8081 to 8087 for one, so that all
    /// seven fit on a machine, and 8080 for several.
    pub fn default_port(services: &[Self]) -> u16 {
        match services {
            [one] => {
                let place = ALL.iter().position(|name| name == one).unwrap_or_default();
                8081 + u16::try_from(place).unwrap_or_default()
            }
            _ => 8080,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_expanded_once_each() {
        let names = [
            ServiceName::Notifier,
            ServiceName::TickApi,
            ServiceName::Notifier,
        ];
        assert_eq!(
            ServiceName::expand(&names),
            [ServiceName::TickApi, ServiceName::Notifier]
        );
        assert_eq!(ServiceName::expand(&[ServiceName::All]), ALL);
    }

    #[test]
    fn seven_single_services_have_seven_ports() {
        assert_eq!(ServiceName::default_port(&[ServiceName::TickApi]), 8081);
        assert_eq!(ServiceName::default_port(&[ServiceName::AdminApi]), 8087);
        assert_eq!(ServiceName::default_port(&ALL), 8080);
    }
}
