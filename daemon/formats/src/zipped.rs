//! Zip archives that documents are packed in, read with limits.
//!
//! Sizes that an archive declares are not believed: what comes out is counted.

use std::io::{self, Cursor, Read};

use daemon::convert::Unconverted;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::titles;
use crate::xml::{self, Piece, Xml};

/// Entries of an archive. The largest of real decks have some thousands.
const ENTRIES_MAX: usize = 50_000;
/// Bytes that one entry becomes: the shared strings of a large workbook.
const ENTRY_BYTES_MAX: u64 = 256 << 20;
/// Bytes that all that is read becomes.
const TOTAL_BYTES_MAX: u64 = 512 << 20;

/// Pictures, films and fonts: no reader here opens these.
const MEDIA: &[&str] = &[
    "avi", "bmp", "emf", "fntdata", "gif", "ico", "jpeg", "jpg", "m4a", "m4v", "mov", "mp3", "mp4",
    "odttf", "ogg", "otf", "png", "svg", "svm", "tif", "tiff", "ttf", "wav", "wdp", "webm", "webp",
    "wmf", "wmv", "woff", "woff2",
];

pub(crate) struct Zipped<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    left: u64,
}

impl<'a> Zipped<'a> {
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Zipped<'a>, Unconverted> {
        if locked(bytes) {
            return Err(Unconverted::Locked);
        }
        if is_older(bytes) {
            return Err(Unconverted::Damaged("a document of an older format".to_owned()));
        }
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
        if archive.len() > ENTRIES_MAX {
            return Err(Unconverted::TooMuch(format!("more than {ENTRIES_MAX} entries")));
        }
        Ok(Zipped { archive, left: TOTAL_BYTES_MAX })
    }

    /// The bytes of an entry, if there is one of this name. Names are compared without regard to case,
    /// as the standards of these packages say.
    pub(crate) fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>, Unconverted> {
        let name = name.trim_start_matches('/');
        let index = self.archive.index_for_name(name).or_else(|| {
            let mut names = self.archive.file_names();
            names.position(|other| other.is_ok_and(|other| other.eq_ignore_ascii_case(name)))
        });
        let Some(index) = index else { return Ok(None) };
        let mut bytes = Vec::new();
        self.copy(index, &mut bytes)?;
        Ok(Some(bytes))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(name).is_some()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.archive.file_names().flatten().map(|name| name.to_string())
    }

    /// An entry that is XML, as text.
    pub(crate) fn xml(&mut self, name: &str) -> Result<Option<String>, Unconverted> {
        Ok(self.read(name)?.map(|bytes| xml::decode(&bytes)))
    }

    /// What the document says it is called.
    pub(crate) fn title(&mut self) -> Option<String> {
        let meta = ["docProps/core.xml", "meta.xml"];
        let text = meta.iter().find_map(|name| self.xml(name).ok().flatten())?;
        let (mut xml, mut title, mut within) = (Xml::new(&text), String::new(), false);
        while let Ok(Some(piece)) = xml.next() {
            match piece {
                Piece::Open(tag) => within = tag.local_name().as_ref() == "title",
                Piece::Close(_) if within => break,
                Piece::Text(text) if within => title.push_str(&text),
                Piece::Close(_) | Piece::Text(_) => {}
            }
        }
        titles::sane(&title)
    }

    /// Refuses an archive whose entries become more than a library should be given, which does not
    /// count itself.
    pub(crate) fn bounded(bytes: &'a [u8]) -> Result<Zipped<'a>, Unconverted> {
        let mut all = Zipped::open(bytes)?;
        for index in 0..all.archive.len() {
            let Ok(entry) = all.archive.by_index_raw(index) else { continue };
            let name = entry.name().map(|name| name.to_lowercase()).unwrap_or_default();
            drop(entry);
            let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
            if MEDIA.contains(&ending) {
                continue;
            }
            // A damaged entry is the library's to tell, if it needs it at all.
            if let Err(why @ Unconverted::TooMuch(_)) = all.copy(index, &mut io::sink()) {
                return Err(why);
            }
        }
        all.left = TOTAL_BYTES_MAX;
        Ok(all)
    }

    fn copy(&mut self, index: usize, to: &mut impl io::Write) -> Result<(), Unconverted> {
        let entry = self.archive.by_index(index).map_err(damaged)?;
        let most = ENTRY_BYTES_MAX.min(self.left);
        let copied = io::copy(&mut entry.take(most + 1), to);
        let copied = copied.map_err(|e| Unconverted::Damaged(e.to_string()))?;
        if copied > most {
            return Err(Unconverted::TooMuch(format!(
                "an archive that grows beyond {} MiB an entry or {} MiB in all",
                ENTRY_BYTES_MAX >> 20,
                TOTAL_BYTES_MAX >> 20
            )));
        }
        self.left -= copied;
        Ok(())
    }
}

/// Whether the file is the older kind of container that the newer office formats are put in when they are
/// given a password.
pub(crate) fn locked(bytes: &[u8]) -> bool {
    has_part(bytes, "EncryptedPackage")
}

/// Whether the file is a container of the office formats before 2007 with a part of this name.
pub(crate) fn has_part(bytes: &[u8], name: &str) -> bool {
    let name: Vec<u8> = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    // An entry of its directory: a name in 64 bytes, and how long it is with its end.
    let names = |entry: &[u8]| {
        entry.starts_with(&name)
            && usize::from(u16::from_le_bytes([entry[64], entry[65]])) == name.len()
    };
    is_older(bytes) && bytes.chunks_exact(128).any(names)
}

/// Whether the file is a container of the office formats before 2007.
pub(crate) fn is_older(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0])
}

fn damaged(error: ZipError) -> Unconverted {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => Unconverted::Locked,
        error => Unconverted::Damaged(error.to_string()),
    }
}
