//! What settings are written as.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A text that is shown as `***`.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

/// A length of time, written as `90s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub Duration);

impl std::str::FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_suffix('s').unwrap_or_default();
        let seconds: u64 = number
            .parse()
            .map_err(|_| format!("{text:?} is no length of time; write seconds, e.g. \"90s\""))?;
        if seconds == 0 {
            return Err("a length of time must be at least \"1s\"".to_owned());
        }
        Ok(Self(Duration::from_secs(seconds)))
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl Serialize for Seconds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{}s", self.0.as_secs()))
    }
}

/// How often something may be done, written as `60/30s` (60 times in 30 seconds) or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// So many; 0 for any number.
    pub count: u32,
    /// In this time.
    pub time: Duration,
}

impl Rate {
    /// So many in this time.
    pub fn new(count: u32, time: Duration) -> Self {
        Self { count, time }
    }
}

impl std::str::FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if matches!(text, "off" | "0") {
            return Ok(Self::new(0, Duration::from_secs(1)));
        }
        let wrong = || format!("{text:?} is no limit; write e.g. \"60/30s\" or \"off\"");
        let (count, time) = text.split_once('/').ok_or_else(wrong)?;
        let count = count.parse().map_err(|_| wrong())?;
        let Seconds(time) = time.parse().map_err(|_| wrong())?;
        Ok(Self::new(count, time))
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl Serialize for Rate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.count {
            0 => serializer.serialize_str("off"),
            count => serializer.serialize_str(&format!("{count}/{}s", self.time.as_secs())),
        }
    }
}

/// How bearer tokens are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// Only tokens that AuthAPI gave out.
    #[default]
    Sessions,
    /// Any non-empty token; its UUIDv5 is the user's id. On loopback only.
    Trust,
}

/// Whether who registers has to say when they were born.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AgeGate {
    /// They may; who says so is asked for the minimum age.
    #[default]
    Optional,
    /// They must.
    Required,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}
