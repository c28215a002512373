//! A day's file: Apache Parquet, with what each column means in its metadata.

use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as PhysicalType};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

/// The columns in their order, and what they mean.
pub(crate) const DICTIONARY: [(&str, &str); 5] = [
    (
        "day",
        "the day in UTC on which it happened, by the event's time",
    ),
    (
        "event",
        "what is counted: tick (that stands), rate (a rating that stands), score, notification (a mail about ratings), login",
    ),
    (
        "species",
        "of ticks: the species' id; null for all other events, and for ticks of birds that nobody named or that too few people saw",
    ),
    (
        "rating",
        "of ratings: 1 to 5; null for all other events, and for values that too few people gave",
    ),
    (
        "count",
        "how many there were; every row is about at least ten people",
    ),
];

/// What was counted on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The event's short name.
    pub(crate) event: &'static str,
    /// A species' id.
    pub(crate) species: Option<String>,
    /// 1 to 5.
    pub(crate) rating: Option<i64>,
    /// How many.
    pub(crate) count: i64,
}

/// The bytes of a day's file; the day is counted from 1970.
pub(crate) fn of_day(day: i64, rows: &[Row]) -> Result<Vec<u8>> {
    let day = i32::try_from(day).map_err(|error| ParquetError::External(Box::new(error)))?;
    let mut writer =
        SerializedFileWriter::new(Vec::new(), Arc::new(schema()?), Arc::new(properties()))?;
    let mut group = writer.next_row_group()?;
    let text = |text: &str| ByteArray::from(text.as_bytes().to_vec());
    let events: Vec<_> = rows.iter().map(|row| text(row.event)).collect();
    let species = rows.iter().map(|row| row.species.as_deref().map(text));
    let ratings = rows.iter().map(|row| row.rating.map(i32::try_from));
    let ratings: std::result::Result<Vec<_>, _> = ratings.map(Option::transpose).collect();
    let ratings = ratings.map_err(|error| ParquetError::External(Box::new(error)))?;
    let counts: Vec<_> = rows.iter().map(|row| row.count).collect();
    column::<Int32Type>(&mut group, &vec![day; rows.len()], None)?;
    column::<ByteArrayType>(&mut group, &events, None)?;
    optional::<ByteArrayType>(&mut group, species)?;
    optional::<Int32Type>(&mut group, ratings.into_iter())?;
    column::<Int64Type>(&mut group, &counts, None)?;
    group.close()?;
    writer.into_inner()
}

fn schema() -> Result<Type> {
    let [day, event, species, rating, count] = DICTIONARY.map(|(name, _)| name);
    let text = Some(LogicalType::String);
    let columns = [
        field(
            day,
            PhysicalType::INT32,
            Some(LogicalType::Date),
            Repetition::REQUIRED,
        )?,
        field(
            event,
            PhysicalType::BYTE_ARRAY,
            text.clone(),
            Repetition::REQUIRED,
        )?,
        field(
            species,
            PhysicalType::BYTE_ARRAY,
            text,
            Repetition::OPTIONAL,
        )?,
        field(rating, PhysicalType::INT32, None, Repetition::OPTIONAL)?,
        field(count, PhysicalType::INT64, None, Repetition::REQUIRED)?,
    ];
    Type::group_type_builder("facts")
        .with_fields(columns.into_iter().map(Arc::new).collect())
        .build()
}

fn field(
    name: &str,
    physical: PhysicalType,
    logical: Option<LogicalType>,
    repetition: Repetition,
) -> Result<Type> {
    Type::primitive_type_builder(name, physical)
        .with_logical_type(logical)
        .with_repetition(repetition)
        .build()
}

fn properties() -> WriterProperties {
    let words = DICTIONARY
        .iter()
        .map(|(name, words)| KeyValue::new((*name).to_owned(), (*words).to_owned()));
    WriterProperties::builder()
        .set_created_by("Dipper".to_owned())
        .set_key_value_metadata(Some(words.collect()))
        .build()
}

fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<()> {
    if let Some(mut column) = group.next_column()? {
        column.typed::<T>().write_batch(values, levels, None)?;
        column.close()?;
    }
    Ok(())
}

fn optional<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: impl Iterator<Item = Option<T::T>>,
) -> Result<()> {
    let values: Vec<_> = values.collect();
    let levels: Vec<_> = values
        .iter()
        .map(|value| i16::from(value.is_some()))
        .collect();
    let values: Vec<_> = values.into_iter().flatten().collect();
    column::<T>(group, &values, Some(&levels))
}
