//! Where in a document that has parts a passage stands: a page, a slide, a sheet.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A part of a document, as people name it; numbers are from 1. On the wire `{"page":3}`, in text
/// `page 3`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Place {
    Page(u32),
    Slide(u32),
    /// A sheet of a workbook, by its name.
    Sheet(String),
    /// A file of a book, in reading order.
    Chapter(u32),
    /// A cell of a notebook.
    Cell(u32),
    /// A message of a mailbox.
    Message(u32),
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Place::Page(number) => write!(f, "page {number}"),
            Place::Slide(number) => write!(f, "slide {number}"),
            Place::Sheet(name) => write!(f, "sheet {name}"),
            Place::Chapter(number) => write!(f, "chapter {number}"),
            Place::Cell(number) => write!(f, "cell {number}"),
            Place::Message(number) => write!(f, "message {number}"),
        }
    }
}

/// A text that names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no page, slide, sheet, chapter, cell or message")]
pub struct NoPlace(pub String);

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Place, NoPlace> {
        let no_place = || NoPlace(text.to_owned());
        let (unit, name) = text.split_once(' ').ok_or_else(no_place)?;
        let number = || name.parse().map_err(|_| no_place());
        Ok(match unit {
            "page" => Place::Page(number()?),
            "slide" => Place::Slide(number()?),
            "sheet" => Place::Sheet(name.to_owned()),
            "chapter" => Place::Chapter(number()?),
            "cell" => Place::Cell(number()?),
            "message" => Place::Message(number()?),
            _ => return Err(no_place()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_and_read_again() {
        let cases = [
            (Place::Page(3), "page 3", r#"{"page":3}"#),
            (Place::Slide(12), "slide 12", r#"{"slide":12}"#),
            (Place::Sheet("Q3 2024".into()), "sheet Q3 2024", r#"{"sheet":"Q3 2024"}"#),
            (Place::Sheet(String::new()), "sheet ", r#"{"sheet":""}"#),
            (Place::Chapter(1), "chapter 1", r#"{"chapter":1}"#),
            (Place::Cell(7), "cell 7", r#"{"cell":7}"#),
            (Place::Message(9), "message 9", r#"{"message":9}"#),
        ];
        for (place, text, json) in cases {
            assert_eq!(place.to_string(), text);
            assert_eq!(text.parse(), Ok(place.clone()));
            assert_eq!(serde_json::to_string(&place).unwrap(), json);
        }
        for text in ["", "page", "page x", "page -1", "leaf 3"] {
            assert_eq!(text.parse::<Place>(), Err(NoPlace(text.to_owned())));
        }
    }
}
