//! The address of an image of ours: it always holds the image's id.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::ImageId;

/// The longest image URL, in characters.
const MAX_LENGTH: usize = 512;
/// The sizes in which an image is served, in pixels of the longer edge.
const SIZES: [&str; 3] = ["2048", "1024", "400"];
/// What [`ImageUrl::from_str`] accepts, as the schemas tell it to others.
const PATTERN: &str = concat!(
    "^(https?://[A-Za-z0-9.:_\\[\\]-]+)?/images/",
    "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
    "(/(2048|1024|400)\\.jpg)?$"
);

/// The URL of one of our images: absolute, or a path on our own origin.
///
/// `/images/{id}` or `/images/{id}/{size}.jpg`, with or without `https://host` before it; no query, no fragment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageUrl {
    text: String,
    image: ImageId,
}

/// The text is no URL of an image of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an image URL ends in /images/{{id}} or /images/{{id}}/{{2048|1024|400}}.jpg")]
pub struct NotAnImageUrl;

impl ImageUrl {
    /// The URL under which the image is served in its largest size; `public_url` may be empty for a mere path.
    pub fn new(public_url: &str, image: ImageId) -> Self {
        let origin = public_url.trim_end_matches('/');
        Self {
            text: format!("{origin}/images/{image}/2048.jpg"),
            image,
        }
    }

    /// The image that the URL names.
    pub fn image(&self) -> ImageId {
        self.image
    }

    /// The URL as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for ImageUrl {
    type Err = NotAnImageUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let image = image_of(text).ok_or(NotAnImageUrl)?;
        Ok(Self {
            text: text.to_owned(),
            image,
        })
    }
}

/// The image named by `text`, when it is an image URL.
pub(crate) fn image_of(text: &str) -> Option<ImageId> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let path = path_of(text)?.strip_prefix("/images/")?;
    let (id, size) = path
        .split_once('/')
        .map_or((path, None), |(id, size)| (id, Some(size)));
    if let Some(size) = size
        && !size
            .strip_suffix(".jpg")
            .is_some_and(|size| SIZES.contains(&size))
    {
        return None;
    }
    // Uuid also reads other spellings (braces, URN, no hyphens), all of another length.
    (id.len() == 36)
        .then(|| Uuid::parse_str(id).ok())
        .flatten()
        .map(ImageId)
}

/// The path of an absolute http(s) URL, or the text itself when it is a path.
fn path_of(text: &str) -> Option<&str> {
    let Some(rest) = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
    else {
        return Some(text);
    };
    let slash = rest.find('/')?;
    let (authority, path) = rest.split_at_checked(slash)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".:_[]-".contains(&byte);
    (!authority.is_empty() && authority.bytes().all(allowed)).then_some(path)
}

impl fmt::Display for ImageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl AsRef<str> for ImageUrl {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl Serialize for ImageUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for ImageUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for ImageUrl {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ImageUrl".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": PATTERN, "maxLength": MAX_LENGTH})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0e7c5b1a-94d2-4f3b-8a6d-52c1f09be874";

    fn read(text: &str) -> Option<String> {
        text.parse::<ImageUrl>()
            .ok()
            .map(|url| url.image().to_string())
    }

    #[test]
    fn paths_and_absolute_urls_of_an_image_are_read() {
        for good in [
            format!("/images/{ID}"),
            format!("/images/{ID}/2048.jpg"),
            format!("/images/{ID}/400.jpg"),
            format!("http://127.0.0.1:8080/images/{ID}/1024.jpg"),
            format!("https://[::1]:8080/images/{ID}"),
            format!("https://birds.example/images/{}", ID.to_uppercase()),
        ] {
            assert_eq!(read(&good).as_deref(), Some(ID), "{good}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            String::new(),
            ID.to_owned(),
            format!("images/{ID}"),
            format!("/images/{ID}/"),
            format!("/images/{ID}/800.jpg"),
            format!("/images/{ID}/2048.png"),
            format!("/images/{ID}/2048.jpg?x=1"),
            format!("/images/{ID}#x"),
            format!("/images/{}", ID.replace('-', "")),
            format!("/x/images/{ID}"),
            format!("//birds.example/images/{ID}"),
            format!("https:///images/{ID}"),
            format!("https://user@birds.example/images/{ID}"),
            format!("ftp://birds.example/images/{ID}"),
            format!("https://{}.example/images/{ID}", "a".repeat(MAX_LENGTH)),
        ] {
            assert_eq!(read(&bad), None, "{bad}");
        }
    }

    #[test]
    fn a_new_url_names_the_largest_size() {
        let image: ImageId = ID.parse().unwrap();
        let url = ImageUrl::new("https://birds.example/", image);
        assert_eq!(
            url.as_str(),
            format!("https://birds.example/images/{ID}/2048.jpg")
        );
        assert_eq!(
            ImageUrl::new("", image).as_str(),
            format!("/images/{ID}/2048.jpg")
        );
        assert_eq!(url.as_str().parse(), Ok(url));
    }
}
