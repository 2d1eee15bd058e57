//! PowerPoint's decks since 2007, slide by slide in the order they are shown, each with its notes.

mod shapes;
#[cfg(test)]
mod tests;

use daemon::convert::{Converted, Unconverted};
use daemon_protocol::Place;

use crate::text::Text;
use crate::xml::{self, Piece, Xml};
use crate::zipped::Zipped;
use shapes::Shape;

/// Slides of a deck: each costs the opening of several entries.
const SLIDES_MAX: usize = 10_000;

const DECK: &str = "ppt/presentation.xml";

pub(crate) fn read(bytes: &[u8]) -> Result<Converted, Unconverted> {
    let mut zip = Zipped::open(bytes)?;
    let paths = slides(&mut zip)?;
    if paths.len() > SLIDES_MAX {
        return Err(Unconverted::TooMuch(format!("more than {SLIDES_MAX} slides")));
    }
    let mut text = Text::default();
    for (path, number) in paths.iter().zip(1..) {
        // A deck may list a slide that it lost; the others are shown, and counted as they are listed.
        let Some(slide) = zip.xml(path)? else { continue };
        text.mark(Place::Slide(number));
        write(&mut text, &shapes::read(&slide)?);
        let related = relations(&mut zip, path)?;
        for part in related.iter().filter(|part| part.kind == "diagramData") {
            let Some(diagram) = zip.xml(&part.path)? else { continue };
            shapes::read(&diagram)?.iter().for_each(|shape| shape.write(&mut text));
        }
        for part in related.iter().filter(|part| part.kind == "notesSlide") {
            let Some(notes) = zip.xml(&part.path)? else { continue };
            let notes = shapes::read(&notes)?;
            notes
                .iter()
                .filter(|shape| shape.holds("body"))
                .for_each(|shape| shape.write(&mut text));
        }
        text.within()?;
    }
    text.converted(zip.title())
}

/// A slide's text: its title first, wherever it stands among the shapes.
fn write(text: &mut Text, shapes: &[Shape]) {
    let titles = |shape: &&Shape| shape.holds("title") || shape.holds("ctrTitle");
    for shape in shapes.iter().filter(titles) {
        text.heading(1, &shape.words());
    }
    for shape in shapes.iter().filter(|shape| !titles(shape) && !shape.repeats()) {
        shape.write(text);
    }
}

/// The slides' entries in the order they are shown.
fn slides(zip: &mut Zipped) -> Result<Vec<String>, Unconverted> {
    let deck = relations(zip, "")?.into_iter().find(|part| part.kind == "officeDocument");
    let deck = deck.map_or_else(|| DECK.to_owned(), |part| part.path);
    let Some(text) = zip.xml(&deck)? else {
        return Err(Unconverted::Damaged("no presentation in it".to_owned()));
    };
    let related = relations(zip, &deck)?;
    let mut listed = Vec::new();
    let mut xml = Xml::new(&text);
    while let Some(piece) = xml.next()? {
        let Piece::Open(tag) = piece else { continue };
        if tag.local_name().as_ref() != "sldId" {
            continue;
        }
        // The slide has an `id` of its own, without a prefix.
        let id = xml::attribute_in_namespace(&tag, "id");
        listed.extend(
            related.iter().find(|part| Some(&part.id) == id.as_ref()).map(|part| part.path.clone()),
        );
    }
    if listed.is_empty() {
        // Programs that write no list number the entries.
        let number = |name: &str| {
            name.strip_prefix("ppt/slides/slide")?.strip_suffix(".xml")?.parse::<u32>().ok()
        };
        let mut all: Vec<_> = zip.names().filter_map(|name| Some((number(&name)?, name))).collect();
        all.sort();
        listed = all.into_iter().map(|(_, name)| name).collect();
    }
    Ok(listed)
}

/// What an entry of the package refers to.
struct Part {
    id: String,
    /// The last word of the relation's kind, which is an address.
    kind: String,
    path: String,
}

/// What the entry `path` refers to within the package; the package itself, if `path` is empty.
fn relations(zip: &mut Zipped, path: &str) -> Result<Vec<Part>, Unconverted> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let Some(text) = zip.xml(&format!("{folder}/_rels/{name}.rels"))? else {
        return Ok(Vec::new());
    };
    let (mut xml, mut parts) = (Xml::new(&text), Vec::new());
    while let Some(piece) = xml.next()? {
        let Piece::Open(tag) = piece else { continue };
        if xml::attribute(&tag, "TargetMode").is_some_and(|mode| mode == "External") {
            continue;
        }
        let value = |name| xml::attribute(&tag, name);
        let (Some(id), Some(kind), Some(target)) = (value("Id"), value("Type"), value("Target"))
        else {
            continue;
        };
        let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
        parts.push(Part { id, kind, path: resolve(folder, &target) });
    }
    Ok(parts)
}

/// A reference as a path from the package's root.
fn resolve(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut steps: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in target.split('/') {
        match step {
            ".." => drop(steps.pop()),
            "." | "" => {}
            step => steps.push(step),
        }
    }
    steps.join("/")
}
