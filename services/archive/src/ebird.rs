//! Ticks in eBird's Record Format: nineteen columns, no line of headings, one line per tick.

use std::collections::HashMap;

use serde_json::Value;

use crate::{Document, Row};

/// What eBird calls a bird that nobody could tell.
const ANY_BIRD: &str = "bird sp.";
/// A bird that was seen by the way: no effort was counted.
const PROTOCOL: &str = "incidental";

/// The names of a species.
struct Names<'a> {
    english: &'a str,
    genus: &'a str,
    epithet: &'a str,
}

/// The document's ticks as CSV.
pub fn ticks_csv(document: &Document) -> Result<Vec<u8>, csv::Error> {
    let names = names(document);
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    for tick in document.rows("tick-api", "tick") {
        let species = text(tick, "species").and_then(|species| names.get(species));
        writer.write_record(record(tick, species))?;
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

/// The names of the species, as the statistics keep them, by their ids.
fn names(document: &Document) -> HashMap<&str, Names<'_>> {
    let ticks = document.rows("statistics", "tick");
    let named = ticks.filter_map(|tick| {
        let (genus, epithet) = text(tick, "scientific")?.split_once(' ')?;
        let names = Names {
            english: text(tick, "english")?,
            genus,
            epithet,
        };
        Some((text(tick, "species_id")?, names))
    });
    named.collect()
}

fn record(tick: &Row, species: Option<&Names<'_>>) -> [String; 19] {
    let place = tick.get("place");
    let degrees = |name: &str| {
        let value = place.and_then(|place| place.get(name));
        value
            .and_then(Value::as_f64)
            .map(|degrees| degrees.to_string())
    };
    let (lat, lon) = (degrees("lat"), degrees("lon"));
    let location = match (&lat, &lon) {
        (Some(lat), Some(lon)) => format!("{lat}, {lon}"),
        _ => "unknown".to_owned(),
    };
    let birds = tick.get("birds").and_then(Value::as_u64);
    [
        // Common name, genus, species, number, comments.
        species.map_or(ANY_BIRD, |names| names.english).to_owned(),
        species.map_or("", |names| names.genus).to_owned(),
        species.map_or("", |names| names.epithet).to_owned(),
        birds.map_or_else(|| "X".to_owned(), |birds| birds.to_string()),
        text(tick, "note").unwrap_or_default().to_owned(),
        // Location, latitude, longitude.
        location,
        lat.unwrap_or_default(),
        lon.unwrap_or_default(),
        // Date, start time, state, country.
        text(tick, "day").map(date).unwrap_or_default(),
        String::new(),
        String::new(),
        String::new(),
        // Protocol, observers, duration, all reported, distance, area, comments on the list.
        PROTOCOL.to_owned(),
        "1".to_owned(),
        String::new(),
        "N".to_owned(),
        String::new(),
        String::new(),
        String::new(),
    ]
}

fn text<'a>(row: &'a Row, column: &str) -> Option<&'a str> {
    row.get(column).and_then(Value::as_str)
}

/// `2026-05-01` as eBird writes it: `05/01/2026`.
fn date(day: &str) -> String {
    match day.splitn(3, '-').collect::<Vec<_>>().as_slice() {
        [year, month, day] => format!("{month}/{day}/{year}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::tests::document;

    fn lines(ticks: &Value) -> Vec<csv::StringRecord> {
        let named = json!([{
            "species_id": "s1", "scientific": "Sitta europaea", "english": "Eurasian Nuthatch",
        }]);
        let document = document(&[("tick-api", "tick", ticks), ("statistics", "tick", &named)]);
        let bytes = ticks_csv(&document).unwrap();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(bytes.as_slice());
        reader.records().map(Result::unwrap).collect()
    }

    #[test]
    fn a_tick_is_a_line_of_nineteen_columns() {
        let lines = lines(&json!([{
            "species": "s1", "day": "2026-05-01", "birds": 2, "note": "by the \"feeder\",\nwet",
            "place": {"lat": 59.8586, "lon": -17.6},
        }]));
        let line: Vec<&str> = lines[0].iter().collect();
        assert_eq!(
            line,
            [
                "Eurasian Nuthatch",
                "Sitta",
                "europaea",
                "2",
                "by the \"feeder\",\nwet",
                "59.8586, -17.6",
                "59.8586",
                "-17.6",
                "05/01/2026",
                "",
                "",
                "",
                "incidental",
                "1",
                "",
                "N",
                "",
                "",
                "",
            ]
        );
    }

    #[test]
    fn what_was_not_told_is_written_as_ebird_wants_it() {
        let lines =
            lines(&json!([{"species": null, "day": "2026-05-01"}, {"species": "s9", "day": "x"}]));
        let told = |line: usize| (&lines[line][0], &lines[line][3], &lines[line][5]);
        assert_eq!(told(0), ("bird sp.", "X", "unknown"));
        assert_eq!(told(1), ("bird sp.", "X", "unknown"));
        assert_eq!(lines[1].len(), 19);
    }
}
