//! The catalogue as a page for people: one file, no script, nothing from elsewhere.

use std::fmt::Write;

use crate::{CATALOGUE, Contract, STREAMS, Stream, schemas};

mod fields;

const STYLE: &str = include_str!("page/style.css");

/// The page.
pub fn html() -> String {
    let mut page = Page::begin(
        "Event catalogue",
        "What happens in Dipper, who says so, who listens and why, and what becomes of people's data.",
    );
    page.contents();
    page.streams();
    page.rules();
    for stream in STREAMS {
        page.events_of(stream);
    }
    page.end()
}

/// A page being written: one file, no script, nothing from elsewhere. Only `raw` takes HTML;
/// everything else escapes.
#[derive(Debug)]
pub struct Page(String);

impl Page {
    /// A page with its heading, and what it is in a sentence.
    pub fn begin(title: &str, says: &str) -> Self {
        let mut page = Self(String::new());
        page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        page.raw("<meta name=\"color-scheme\" content=\"light dark\">\n");
        page.element("title", &format!("Dipper: {title}"));
        page.raw("<style>\n");
        page.raw(STYLE);
        page.raw("</style>\n</head>\n<body>\n<header>\n");
        page.element("h1", title);
        page.element("p", says);
        page.raw("</header>\n<main>\n");
        page
    }

    /// The page, ended.
    pub fn end(mut self) -> String {
        self.raw("</main>\n</body>\n</html>\n");
        self.0
    }

    /// A table; what stands between backticks is code. On a narrow screen each cell names its column.
    pub fn table(&mut self, columns: &[&str], rows: impl Iterator<Item = Vec<String>>) {
        self.raw("<div class=\"wide\">\n<table>\n<thead><tr>");
        for column in columns {
            self.element("th", column);
        }
        self.raw("</tr></thead>\n<tbody>\n");
        for row in rows {
            self.raw("<tr>");
            for (column, cell) in columns.iter().zip(&row) {
                let _ = write!(self.0, "<td data-label=\"{column}: \">");
                self.marked(cell);
                self.raw("</td>\n");
            }
            self.raw("</tr>\n");
        }
        self.raw("</tbody>\n</table>\n</div>\n");
    }

    /// HTML as it is.
    pub fn raw(&mut self, html: &str) {
        self.0.push_str(html);
    }

    fn text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
    }

    /// An element with a text.
    pub fn element(&mut self, tag: &str, text: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "<{tag}>");
        self.text(text);
        let _ = writeln!(self.0, "</{tag}>");
    }

    /// Text in which what stands between backticks is code.
    fn prose(&mut self, tag: &str, text: &str) {
        let _ = write!(self.0, "<{tag}>");
        self.marked(text);
        let _ = writeln!(self.0, "</{tag}>");
    }

    fn marked(&mut self, text: &str) {
        for (place, part) in text.split('`').enumerate() {
            if place % 2 == 1 {
                self.raw("<code>");
                self.text(part);
                self.raw("</code>");
            } else {
                self.text(part);
            }
        }
    }

    fn contents(&mut self) {
        self.raw("<nav aria-label=\"Events\">\n<ul>\n");
        for contract in CATALOGUE {
            let _ = write!(self.0, "<li><a href=\"#{}\">", anchor(contract));
            self.text(&contract.name());
            let _ = writeln!(self.0, " <small>{}</small></a></li>", contract.version);
        }
        self.raw("</ul>\n</nav>\n");
    }

    fn streams(&mut self) {
        self.raw("<section id=\"streams\">\n<h2>Streams</h2>\n<div class=\"wide\">\n<table>\n<thead><tr>");
        for column in ["Stream", "Holds", "Kept", "At most", "Names people"] {
            self.element("th", column);
        }
        self.raw("</tr></thead>\n<tbody>\n");
        for stream in STREAMS {
            self.raw("<tr>");
            self.prose("th", &format!("{} `{}`", stream.name, stream.filter()));
            self.element("td", stream.description);
            self.cell("Kept", &kept(stream));
            self.cell("At most", &size(stream.max_bytes));
            self.cell("Names people", if stream.personal { "yes" } else { "no" });
            self.raw("</tr>\n");
        }
        self.raw("</tbody>\n</table>\n</div>\n</section>\n");
    }

    /// A cell that, on a narrow screen, names its column itself.
    fn cell(&mut self, label: &str, text: &str) {
        let _ = write!(self.0, "<td data-label=\"{label}: \">");
        self.text(text);
        self.raw("</td>\n");
    }

    fn rules(&mut self) {
        self.raw("<section id=\"rules\">\n<h2>Rules for everyone</h2>\n<ul>\n");
        for rule in RULES {
            self.prose("li", rule);
        }
        self.raw("</ul>\n</section>\n");
    }

    fn events_of(&mut self, stream: &Stream) {
        let mut events = CATALOGUE
            .iter()
            .filter(|contract| contract.stream.name == stream.name)
            .peekable();
        if events.peek().is_none() {
            return;
        }
        let _ = write!(self.0, "<section id=\"{}\">\n<h2>", stream.entity);
        self.text(stream.name);
        self.raw("</h2>\n");
        for contract in events {
            self.card(contract);
        }
        self.raw("</section>\n");
    }

    fn card(&mut self, contract: &Contract) {
        let _ = write!(self.0, "<article id=\"{}\">\n<h3>", anchor(contract));
        self.text(&contract.name());
        let _ = writeln!(self.0, " <small>{}</small></h3>", contract.version);
        self.element("p", contract.intent);
        self.raw("<dl>\n");
        self.fact(
            "Subject",
            &format!(
                "`{}.v{}.{{key}}`: the key is {}",
                contract.name(),
                contract.version.major,
                contract.key
            ),
        );
        self.fact(
            "Sent by",
            &format!(
                "`{}`: {}",
                contract.producer.service, contract.producer.trigger
            ),
        );
        self.raw("<dt>Read by</dt><dd>\n<ul>\n");
        for consumer in contract.consumers {
            self.prose("li", &format!("`{}` {}", consumer.service, consumer.why));
        }
        self.raw("</ul>\n</dd>\n");
        self.personal(contract);
        self.fact("When erased", contract.erasure);
        self.fact(
            "Kept",
            &format!("{}, in {}", kept(contract.stream), contract.stream.name),
        );
        self.raw("</dl>\n");
        self.data(contract);
        self.raw("</article>\n");
    }

    /// A term of a list and what is said of it.
    pub fn fact(&mut self, name: &str, prose: &str) {
        self.element("dt", name);
        self.prose("dd", prose);
    }

    fn personal(&mut self, contract: &Contract) {
        if contract.personal.is_empty() {
            return self.fact("Personal data", "none");
        }
        let named = contract.personal.iter();
        let named: Vec<String> = named
            .map(|personal| format!("`{}` of the {}", personal.pointer, personal.whose.as_str()))
            .collect();
        self.fact("Personal data", &named.join(", "));
    }

    fn data(&mut self, contract: &Contract) {
        self.raw("<details>\n<summary>Data</summary>\n<div class=\"wide\">\n<table>\n");
        self.raw("<thead><tr><th>Field</th><th>Is</th><th>Says</th></tr></thead>\n<tbody>\n");
        for field in fields::of(contract) {
            self.raw("<tr>");
            self.prose(
                "td",
                &format!(
                    "`{}`{}",
                    field.path,
                    if field.required { "" } else { " (optional)" }
                ),
            );
            self.element("td", &field.is);
            self.element("td", &field.says);
            self.raw("</tr>\n");
        }
        self.raw("</tbody>\n</table>\n</div>\n</details>\n<details>\n<summary>Sample</summary>\n");
        self.element("pre", schemas::pretty(&(contract.sample)()).trim_end());
        self.raw("</details>\n");
    }
}

const RULES: [&str; 5] = [
    "An event is one JSON object: `id`, `type`, `version`, `data`, `metadata`. Its entity and its key stand in the subject, `<entity>.<type>.v<major>.<key>`.",
    "The same event always carries the same `id`; whoever reads it twice counts it once. The header `Nats-Msg-Id` is `<id>:v<major>`.",
    "Within a major version every consumer reads every event. Optional fields may come and go: ignore those that you do not know.",
    "Published schemas never change. What could break a consumer is a new major version beside the old one.",
    "Events hold ids, never names or addresses.",
];

fn anchor(contract: &Contract) -> String {
    format!("{}-{}-{}", contract.entity, contract.kind, contract.version)
}

fn kept(stream: &Stream) -> String {
    match stream.retention.map(|kept| kept.as_secs() / (24 * 60 * 60)) {
        None => "until erased".to_owned(),
        Some(days) if days > 0 && days.is_multiple_of(365) && days > 365 => {
            format!("{} years", days / 365)
        }
        Some(days) => format!("{days} days"),
    }
}

fn size(bytes: i64) -> String {
    format!("{} GiB", bytes / (1024 * 1024 * 1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_and_stream_stands_on_the_page() {
        let page = html();
        for contract in CATALOGUE {
            let (anchor, intent) = (anchor(contract), contract.intent.replace('\'', "&#39;"));
            assert!(page.contains(&format!("id=\"{anchor}\"")), "{anchor}");
            assert!(page.contains(&intent), "{intent}");
        }
        for stream in STREAMS {
            assert!(
                page.contains(&format!("<th>{} <code>", stream.name)),
                "{}",
                stream.name
            );
        }
    }

    #[test]
    fn nothing_on_the_page_comes_from_elsewhere() {
        let page = html();
        for foreign in [
            "<script",
            "<link",
            "<img",
            "src=",
            "url(",
            "@import",
            "href=\"http",
        ] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn texts_are_escaped() {
        let mut page = Page(String::new());
        page.prose("p", "a < b & `<c>` \"d\" 'e'");
        assert_eq!(
            page.0,
            "<p>a &lt; b &amp; <code>&lt;c&gt;</code> &quot;d&quot; &#39;e&#39;</p>\n"
        );
        assert!(
            html().contains("<code>&lt;entity&gt;.&lt;type&gt;.v&lt;major&gt;.&lt;key&gt;</code>")
        );
    }

    #[test]
    fn retentions_are_told_in_words() {
        assert_eq!(kept(&crate::catalogue::USER), "30 days");
        assert_eq!(kept(&crate::catalogue::ADMIN), "2 years");
        assert_eq!(kept(&crate::catalogue::NOTIFICATION), "365 days");
        assert_eq!(kept(&crate::catalogue::TICK), "until erased");
    }
}
