//! The map as pages for people: one file each, no script, nothing from elsewhere.

use std::collections::BTreeMap;

use envelope::page::Page;

use crate::records::{PlaceRecord, Record, records};

/// The records of processing activities, for an authority and for admins.
pub fn records_page() -> String {
    let mut page = Page::begin(
        "Records of processing",
        "What Dipper does with people's data, by Art. 30 GDPR. It follows from the data map, which is compared with \
         what a running instance has at every change of the program.",
    );
    for record in &records().activities {
        begin_section(&mut page, record);
        facts(&mut page, record);
        let columns = ["Where", "What", "Whose", "Kind", "Kept", "When erased"];
        page.table(&columns, record.places.iter().map(row_of_place));
        page.raw("</section>\n");
    }
    page.end()
}

/// The privacy notice's tables, for birders: what is kept, what for and for how long, without where.
pub fn notice() -> String {
    let mut page = Page::begin(
        "What Dipper knows about you",
        "What is kept, what for, by which right, for how long, and what becomes of it when you erase your account. \
         Under My account you take consents back, object to scores, statistics and mail about ratings, or have everything \
         only kept, and nothing else done with it.",
    );
    for record in &records().activities {
        begin_section(&mut page, record);
        facts(&mut page, record);
        let columns = ["Kind of data", "Kept", "When you are erased"];
        page.table(&columns, summary(record).into_iter());
        page.raw("</section>\n");
    }
    page.end()
}

fn begin_section(page: &mut Page, record: &Record) {
    page.raw(&format!("<section id=\"{}\">\n", record.id));
    page.element("h2", record.name);
}

fn facts(page: &mut Page, record: &Record) {
    page.raw("<dl>\n");
    page.fact("What for", record.purpose);
    page.fact("By which right", record.legal_basis);
    page.fact("About whom", &record.people.join(", "));
    page.fact("Who sees it", record.recipients);
    page.raw("</dl>\n");
}

fn row_of_place(place: &PlaceRecord) -> Vec<String> {
    vec![
        format!("`{}`", place.place),
        place.means.to_owned(),
        place.whose.as_str().to_owned(),
        place.category.as_str().to_owned(),
        place.retention.clone(),
        place.erasure.clone(),
    ]
}

/// The kinds of data of an activity, each with all its lives and ends.
fn summary(record: &Record) -> Vec<Vec<String>> {
    let mut kinds: BTreeMap<&str, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for place in &record.places {
        let (lives, ends) = kinds.entry(place.category.as_str()).or_default();
        for (known, new) in [(lives, &place.retention), (ends, &place.erasure)] {
            if !known.contains(&new.as_str()) {
                known.push(new);
            }
        }
    }
    let row = |(kind, (lives, ends)): (&str, (Vec<&str>, Vec<&str>))| {
        vec![kind.to_owned(), lives.join("; "), ends.join("; ")]
    };
    kinds.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_records_name_every_place_and_the_notice_none() {
        let (inside, outside) = (records_page(), notice());
        assert!(inside.contains("user-api: identity.email_sealed"));
        assert!(inside.contains("tick.new /data/place/lat"));
        assert!(!outside.contains("identity"));
        assert!(outside.contains("e-mail address"));
    }

    #[test]
    fn a_kind_of_data_stands_once_in_the_notice_with_all_that_becomes_of_it() {
        let records = records().activities;
        let accounts = records
            .iter()
            .find(|record| record.id == "accounts")
            .unwrap();
        let rows = summary(accounts);
        let credentials = rows
            .iter()
            .filter(|row| row.first().is_some_and(|kind| kind == "credential"));
        let credentials: Vec<_> = credentials.collect();
        assert_eq!(credentials.len(), 1);
        assert!(credentials[0].iter().any(|cell| cell.contains("30 days")));
    }
}
