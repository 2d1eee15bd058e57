//! Documents to Arrow rows and back. The columns are part of the table's name (`v3`): a change
//! here takes a new number, and old tables are then other tables, not wrong ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::builder::{FixedSizeListBuilder, Float32Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float32Type, Int32Type, Int64Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, Int32Array, Int64Array, PrimitiveArray, RecordBatch, StringArray, UInt64Array,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use daemon::store::{Document, Found, Known, Passage, Place, Stamp, StoreError};
use daemon::words::searchable;

/// Version of the columns, for the table's name.
pub(crate) const VERSION: u32 = 3;

/// Path and ordinal as one: what a row is merged by.
pub(crate) const KEY: &str = "key";
pub(crate) const PATH: &str = "path";
pub(crate) const ORDINAL: &str = "ordinal";
pub(crate) const SEARCHED: &str = "searched";
pub(crate) const VECTOR: &str = "vector";
/// Digest of what was embedded; empty if nobody is to look for it.
pub(crate) const EMBEDDED: &str = "embedded";
/// Called as in tables of before, which held less in it.
const CHANGED: &str = "modified_ns";

/// Columns that [`known`] reads.
pub(crate) const KNOWN: [&str; 7] = [PATH, ORDINAL, "bytes", CHANGED, "hash", "written_ns", "tags"];

/// Columns that [`found`] reads, besides the score.
#[rustfmt::skip]
pub(crate) const FOUND: [&str; 10] = [
    PATH, ORDINAL, "title", "heading", "byte_start", "byte_end", "line_start", "line_end", "place", "text",
];

/// Between the tags of a document; no tag holds a line's end.
const TAG_END: &str = "\n";

/// Ordinal of the single row of a document without passages. Its vector is null and its searched
/// text empty, so that neither search can return it.
const MARKER: i32 = -1;

/// Ordinal of a row in whose place there is nothing any more, until it is deleted: a merge can only put
/// a row in the place of another. Neither search can return it either.
pub(crate) const GONE: i32 = -2;

/// The table's columns, for vectors of `width`.
pub(crate) fn columns(width: usize) -> Result<SchemaRef, StoreError> {
    let width = i32::try_from(width)
        .map_err(|_| StoreError(format!("a vector of {width} numbers is too wide to store")))?;
    let field = |name: &str, kind: DataType| Field::new(name, kind, false);
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    Ok(Arc::new(Schema::new(vec![
        field(KEY, DataType::Utf8),
        field(PATH, DataType::Utf8),
        field("title", DataType::Utf8),
        field(ORDINAL, DataType::Int32),
        field("heading", DataType::Utf8),
        field("byte_start", DataType::UInt64),
        field("byte_end", DataType::UInt64),
        field("line_start", DataType::UInt64),
        field("line_end", DataType::UInt64),
        field("place", DataType::Utf8),
        field("text", DataType::Utf8),
        field(SEARCHED, DataType::Utf8),
        field("bytes", DataType::UInt64),
        field(CHANGED, DataType::Int64),
        field("hash", DataType::Utf8),
        field("written_ns", DataType::Int64),
        field("tags", DataType::Utf8),
        field(EMBEDDED, DataType::Utf8),
        Field::new(VECTOR, DataType::FixedSizeList(item, width), true),
    ])))
}

/// True if a table with columns `stored` holds rows that this version reads and writes.
pub(crate) fn fits(stored: &Schema, wanted: &Schema) -> bool {
    let shape = |schema: &Schema| -> Vec<(String, DataType)> {
        let fields = schema.fields().iter();
        fields.map(|field| (field.name().clone(), field.data_type().clone())).collect()
    };
    shape(stored) == shape(wanted)
}

/// One row: of a document, a passage with its position and vector, or the marker; or what is put in the
/// place of one that is to go.
struct Row<'a> {
    key: String,
    document: Option<&'a Document>,
    ordinal: i32,
    passage: Option<&'a (Passage, Vec<f32>)>,
    digest: &'a str,
}

impl<'a> Row<'a> {
    fn of(document: &'a Document, ordinal: i32) -> Row<'a> {
        let at = usize::try_from(ordinal).ok();
        Row {
            // No path holds a NUL.
            key: format!("{}\0{ordinal}", document.path),
            document: Some(document),
            ordinal,
            passage: at.and_then(|at| document.passages.get(at)),
            digest: at.and_then(|at| document.digests.get(at)).map_or("", String::as_str),
        }
    }

    /// Of the document, or nothing where there is none.
    fn text(&self, of: impl FnOnce(&Document) -> String) -> String {
        self.document.map(of).unwrap_or_default()
    }

    fn number<T: Default>(&self, of: impl FnOnce(&Document) -> T) -> T {
        self.document.map(of).unwrap_or_default()
    }

    fn passage(&self) -> Option<&'a Passage> {
        self.passage.map(|(passage, _)| passage)
    }

    /// What full-text search sees: names, title and heading count as words of each passage.
    fn searched(&self) -> String {
        self.text(|Document { title, names, .. }| {
            self.passage().map_or_else(String::new, |Passage { heading, text, .. }| {
                searchable(&format!("{names}\n{title}\n{heading}\n{text}"))
            })
        })
    }
}

fn rows<'a>(
    documents: &[&'a Document],
    replaced: &BTreeSet<String>,
) -> Result<Vec<Row<'a>>, StoreError> {
    let mut rows = Vec::new();
    for &document in documents {
        if document.passages.is_empty() {
            rows.push(Row::of(document, MARKER));
        }
        for ordinal in 0..document.passages.len() {
            let ordinal = i32::try_from(ordinal).map_err(|_| {
                StoreError(format!("{} has too many passages to store", document.path))
            })?;
            rows.push(Row::of(document, ordinal));
        }
    }
    let kept: BTreeSet<&String> = rows.iter().map(|row| &row.key).collect();
    let gone: Vec<String> = replaced.iter().filter(|key| !kept.contains(key)).cloned().collect();
    rows.extend(gone.into_iter().map(|key| Row {
        key,
        document: None,
        ordinal: GONE,
        passage: None,
        digest: "",
    }));
    Ok(rows)
}

fn vectors(rows: &[Row<'_>], width: usize) -> Result<ArrayRef, StoreError> {
    let width_i32 = i32::try_from(width)
        .map_err(|_| StoreError(format!("a vector of {width} numbers is too wide to store")))?;
    let values = Float32Builder::with_capacity(rows.len() * width);
    let mut vectors = FixedSizeListBuilder::with_capacity(values, width_i32, rows.len());
    for row in rows {
        match row.passage {
            None => {
                vectors.values().append_nulls(width);
                vectors.append(false);
            }
            Some((_, vector)) if vector.len() == width && vector.iter().all(|x| x.is_finite()) => {
                vectors.values().append_slice(vector);
                vectors.append(true);
            }
            Some((_, vector)) => {
                return Err(StoreError(format!(
                    "passage {} of {}: its vector must be {width} finite numbers, and has {}",
                    row.ordinal,
                    row.text(|document| document.path.clone()),
                    vector.len()
                )));
            }
        }
    }
    Ok(Arc::new(vectors.finish()))
}

/// The rows of `documents`, whose paths must differ from each other, and what is put in the place of those
/// of the `replaced` keys that are none of theirs; whether there are any.
pub(crate) fn batch(
    documents: &[&Document],
    replaced: &BTreeSet<String>,
    columns: &SchemaRef,
    width: usize,
) -> Result<(RecordBatch, bool), StoreError> {
    let rows = rows(documents, replaced)?;
    let has_gone = rows.iter().any(|row| row.ordinal == GONE);
    let text = |of: &dyn Fn(&Row<'_>) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let number = |of: &dyn Fn(&Row<'_>) -> u64| -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(rows.iter().map(of)))
    };
    let time = |of: fn(&Stamp) -> i64| -> ArrayRef {
        let of_row = |row: &Row<'_>| row.number(|document| of(&document.stamp));
        Arc::new(Int64Array::from_iter_values(rows.iter().map(of_row)))
    };
    let place = |of: fn(&Passage) -> usize| number(&|row| row.passage().map_or(0, of) as u64);
    let arrays: Vec<ArrayRef> = vec![
        text(&|row| row.key.clone()),
        text(&|row| row.text(|document| document.path.clone())),
        text(&|row| row.text(|document| document.title.clone())),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.ordinal))),
        text(&|row| row.passage().map_or_else(String::new, |p| p.heading.clone())),
        place(|passage| passage.bytes.start),
        place(|passage| passage.bytes.end),
        place(|passage| passage.lines.0),
        place(|passage| passage.lines.1),
        text(&|row| {
            let place = row.passage().and_then(|passage| passage.place.as_ref());
            place.map_or_else(String::new, Place::to_string)
        }),
        text(&|row| row.passage().map_or_else(String::new, |p| p.text.clone())),
        text(&|row| row.searched()),
        number(&|row| row.number(|document| document.stamp.bytes)),
        time(|stamp| stamp.changed_ns),
        text(&|row| row.text(|document| document.stamp.hash.clone())),
        time(|stamp| stamp.written_ns),
        text(&|row| row.text(|document| document.tags.join(TAG_END))),
        text(&|row| row.digest.to_owned()),
        vectors(&rows, width)?,
    ];
    let batch = RecordBatch::try_new(Arc::clone(columns), arrays)
        .map_err(|error| StoreError(format!("cannot lay out {} rows: {error}", rows.len())))?;
    Ok((batch, has_gone))
}

/// Adds the keys of the rows of `batch` to `keys`.
pub(crate) fn keys(batch: &RecordBatch, keys: &mut BTreeSet<String>) -> Result<(), StoreError> {
    keys.extend(strings(batch, KEY)?.iter().flatten().map(str::to_owned));
    Ok(())
}

/// Adds the vectors in `batch` to `vectors`, each by the digest of what was embedded.
pub(crate) fn embedded(
    batch: &RecordBatch,
    vectors: &mut BTreeMap<String, Vec<f32>>,
) -> Result<(), StoreError> {
    let digests = strings(batch, EMBEDDED)?;
    let held = column(batch, VECTOR)?;
    let held = held.as_fixed_size_list_opt().ok_or_else(|| {
        StoreError(format!("column {VECTOR} holds {}, not vectors", held.data_type()))
    })?;
    for row in 0..batch.num_rows() {
        if digests.value(row).is_empty() || held.is_null(row) {
            continue;
        }
        let vector = held.value(row);
        let vector = vector.as_primitive_opt::<Float32Type>().ok_or_else(|| {
            StoreError(format!("column {VECTOR} holds {}, not numbers", vector.data_type()))
        })?;
        vectors.insert(digests.value(row).to_owned(), vector.values().to_vec());
    }
    Ok(())
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, StoreError> {
    batch.column_by_name(name).ok_or_else(|| StoreError(format!("column {name} is missing")))
}

fn strings<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray, StoreError> {
    let array = column(batch, name)?;
    array
        .as_string_opt::<i32>()
        .ok_or_else(|| StoreError(format!("column {name} holds {}, not text", array.data_type())))
}

fn numbers<'a, T: ArrowPrimitiveType>(
    batch: &'a RecordBatch,
    name: &str,
) -> Result<&'a PrimitiveArray<T>, StoreError> {
    let array = column(batch, name)?;
    array.as_primitive_opt::<T>().ok_or_else(|| {
        StoreError(format!("column {name} holds {}, not {}", array.data_type(), T::DATA_TYPE))
    })
}

/// Adds what the rows of `batch` say about documents to `documents`.
pub(crate) fn known(
    batch: &RecordBatch,
    documents: &mut BTreeMap<String, Known>,
) -> Result<(), StoreError> {
    let [path, ordinal, bytes, changed_ns, hash, written_ns, tags] = KNOWN;
    let (paths, hashes) = (strings(batch, path)?, strings(batch, hash)?);
    let ordinals = numbers::<Int32Type>(batch, ordinal)?;
    let sizes = numbers::<UInt64Type>(batch, bytes)?;
    let times = numbers::<Int64Type>(batch, changed_ns)?;
    let written = numbers::<Int64Type>(batch, written_ns)?;
    let tags = strings(batch, tags)?;
    for row in 0..batch.num_rows() {
        if ordinals.value(row) == GONE {
            continue;
        }
        let passages = usize::from(ordinals.value(row) != MARKER);
        if let Some(known) = documents.get_mut(paths.value(row)) {
            known.passages += passages;
            continue;
        }
        let stamp = Stamp {
            bytes: sizes.value(row),
            changed_ns: times.value(row),
            hash: hashes.value(row).to_owned(),
            written_ns: written.value(row),
        };
        let tags = tags.value(row).split(TAG_END).filter(|tag| !tag.is_empty());
        let tags = tags.map(str::to_owned).collect();
        documents.insert(paths.value(row).to_owned(), Known { stamp, passages, tags });
    }
    Ok(())
}

/// A column that a search ranks by, and what score its number stands for.
pub(crate) type Ranked<'a> = (&'a str, fn(f32) -> f32);

/// The passages in `batch`, scored where they are `ranked`.
pub(crate) fn found(
    batch: &RecordBatch,
    ranked: Option<Ranked<'_>>,
) -> Result<Vec<Found>, StoreError> {
    let text = |name| strings(batch, name);
    let (paths, titles, headings, texts) =
        (text(PATH)?, text("title")?, text("heading")?, text("text")?);
    let places = text("place")?;
    let ordinals = numbers::<Int32Type>(batch, ORDINAL)?;
    let scores = ranked
        .map(|(column, score)| Ok((numbers::<Float32Type>(batch, column)?, score)))
        .transpose()?;
    let place = |name| numbers::<UInt64Type>(batch, name);
    let (starts, ends) = (place("byte_start")?, place("byte_end")?);
    let (first, last) = (place("line_start")?, place("line_end")?);
    let small = |numbers: &UInt64Array, row: usize| usize::try_from(numbers.value(row));
    let wide = |_| StoreError("a place in a file does not fit this machine's words".to_owned());
    let mut found = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let Ok(ordinal) = usize::try_from(ordinals.value(row)) else { continue };
        let bytes = small(starts, row).map_err(wide)?..small(ends, row).map_err(wide)?;
        let lines = (small(first, row).map_err(wide)?, small(last, row).map_err(wide)?);
        let (heading, text) = (headings.value(row).to_owned(), texts.value(row).to_owned());
        // What is no place is none: it was not written by this version.
        let place = places.value(row).parse().ok();
        found.push(Found {
            path: paths.value(row).to_owned(),
            title: titles.value(row).to_owned(),
            ordinal,
            passage: Passage { heading, bytes, lines, place, text },
            score: scores.map_or(0.0, |(scores, score)| score(scores.value(row))),
        });
    }
    Ok(found)
}
