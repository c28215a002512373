//! Logging in with an OpenID Connect provider: the code flow with PKCE (S256). What the provider says is believed when it signed it,
//! for us, for the log-in that this browser began. What it says of itself is asked each time, so its keys may change.

pub(crate) mod kept;
mod transport;

use chassis::Chassis;
use chassis::clock::Clock;
use chassis::keys::PurposeKey;
use chassis::settings::Oidc;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdTokenClaims, CoreProviderMetadata, CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, SubjectIdentifier, TokenResponse as _,
};
use uuid::Uuid;

use self::kept::{Arrived, Away, Seals};
use self::transport::Transport;
use crate::account::{Email, Name};

/// Where the provider sends browsers back to.
const CALLBACK: &str = "/api/v1/auth/oidc/callback";

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A provider that people may log in with.
pub(crate) struct Provider {
    /// Its name, as people know it: its host's.
    pub(crate) name: String,
    /// For what browsers keep meanwhile.
    pub(crate) seals: Seals,
    settings: Oidc,
    issuer: IssuerUrl,
    redirect: RedirectUrl,
    transport: Transport,
    subject_key: PurposeKey,
}

/// Why somebody did not come back from the provider as themselves. It names nobody.
#[derive(Debug, thiserror::Error)]
#[error("{step}: {why}")]
pub(crate) struct ProviderError {
    step: &'static str,
    why: String,
}

/// An error of a step; what stands behind it says more than its own words.
fn failed<E: std::error::Error + 'static>(step: &'static str) -> impl FnOnce(E) -> ProviderError {
    move |error| ProviderError {
        step,
        why: chain(&error),
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// What the provider tells of somebody beside what it calls them.
#[derive(Default)]
struct Told {
    email: Option<Email>,
    name: Option<Name>,
}

impl Provider {
    /// A provider that the settings name.
    pub(crate) fn new(settings: Oidc, chassis: &Chassis) -> anyhow::Result<Self> {
        let issuer = IssuerUrl::new(settings.issuer.clone())?;
        let host = issuer.url().host_str().unwrap_or_default();
        Ok(Self {
            name: host.to_owned(),
            seals: Seals::new(&chassis.keys),
            redirect: RedirectUrl::new(format!("{}{CALLBACK}", chassis.public_url))?,
            transport: Transport::new(issuer.url())?,
            subject_key: chassis.keys.purpose("auth-api oidc subject"),
            issuer,
            settings,
        })
    }

    /// Whether an answer that says whom it comes from (RFC 9207) comes from this provider.
    pub(crate) fn is_issuer(&self, said: &str) -> bool {
        said == self.issuer.as_str()
    }

    /// Where a browser goes to log in, and what it keeps meanwhile.
    pub(crate) async fn leave(
        &self,
        step: Uuid,
        clock: &Clock,
    ) -> Result<(String, Away), ProviderError> {
        let away = Away {
            step,
            nonce: clock.secret(),
            verifier: clock.secret(),
        };
        let verifier = PkceCodeVerifier::new(away.verifier.clone());
        let nonce = Nonce::new(away.nonce.clone());
        let client = self.client().await?;
        let (url, _, _) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(step.to_string()),
                || nonce,
            )
            .add_scopes(["email", "profile"].map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok((url.into(), away))
    }

    /// Who comes back with this code; they go on with another step.
    pub(crate) async fn arrive(
        &self,
        code: String,
        away: Away,
        step: Uuid,
    ) -> Result<Arrived, ProviderError> {
        let client = self.client().await?;
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(failed("configuration"))?
            .set_pkce_verifier(PkceCodeVerifier::new(away.verifier))
            .request_async(&self.transport)
            .await
            .map_err(failed("token"))?;
        let missing = || ProviderError {
            step: "token",
            why: "it holds no identity".to_owned(),
        };
        let identity = tokens.id_token().ok_or_else(missing)?;
        let claims = identity
            .claims(&client.id_token_verifier(), &Nonce::new(away.nonce))
            .map_err(failed("identity"))?;
        let told = match Told::by_identity(claims) {
            told if told.email.is_some() => told,
            _ => {
                let token = tokens.access_token().clone();
                self.user_info(&client, token, claims.subject()).await?
            }
        };
        Ok(Arrived {
            step,
            subject_hash: self.hash(claims.subject()),
            email: told.email.map(Email::into_string),
            name: told.name.map(Name::into_string).unwrap_or_default(),
        })
    }

    /// Providers may tell the rest by another request only.
    async fn user_info(
        &self,
        client: &Client,
        token: AccessToken,
        subject: &SubjectIdentifier,
    ) -> Result<Told, ProviderError> {
        let Ok(request) = client.user_info(token, Some(subject.clone())) else {
            return Ok(Told::default());
        };
        let claims = request.request_async(&self.transport).await;
        Ok(Told::by_user_info(&claims.map_err(failed("user info"))?))
    }

    async fn client(&self) -> Result<Client, ProviderError> {
        let metadata = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.transport)
            .await
            .map_err(failed("discovery"))?;
        let (id, secret) = (&self.settings.client_id, &self.settings.client_secret);
        let secret = ClientSecret::new(secret.reveal().to_owned());
        let id = ClientId::new(id.clone());
        let client = CoreClient::from_provider_metadata(metadata, id, Some(secret));
        Ok(client.set_redirect_uri(self.redirect.clone()))
    }

    /// What is kept of what the provider calls somebody.
    fn hash(&self, subject: &SubjectIdentifier) -> String {
        let whole = format!("{} {}", self.issuer.as_str(), subject.as_str());
        self.subject_key.hash(whole.as_bytes())
    }
}

impl Told {
    fn by_identity(claims: &CoreIdTokenClaims) -> Self {
        let name = claims.name().and_then(|name| name.get(None));
        Self::new(
            claims.email().map(|email| email.as_str()),
            claims.email_verified(),
            name.map(|name| name.as_str()),
        )
    }

    fn by_user_info(claims: &CoreUserInfoClaims) -> Self {
        let name = claims.name().and_then(|name| name.get(None));
        Self::new(
            claims.email().map(|email| email.as_str()),
            claims.email_verified(),
            name.map(|name| name.as_str()),
        )
    }

    /// An address counts when the provider has seen that it is theirs.
    fn new(email: Option<&str>, is_verified: Option<bool>, name: Option<&str>) -> Self {
        let email = email.filter(|_| is_verified == Some(true));
        Self {
            email: email.and_then(|email| Email::parse(email).ok()),
            name: name.and_then(|name| Name::parse(name).ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_when_the_provider_has_seen_that_it_is_theirs() {
        for (is_verified, counts) in [(Some(true), true), (Some(false), false), (None, false)] {
            let told = Told::new(Some("ada@example.org"), is_verified, Some("Ada"));
            assert_eq!(told.email.is_some(), counts, "{is_verified:?}");
            assert!(told.name.is_some());
        }
        assert!(
            Told::new(Some("no address"), Some(true), None)
                .email
                .is_none()
        );
    }
}
