//! The container of workbooks before 2007, as far as the library that reads it would follow it for ever.

/// Where the header says how large a sector is (as a power of two), where the directory begins, and where the list
/// of the table's sectors, of which the header itself holds the first, goes on.
const SHIFT: usize = 30;
const DIRECTORY: usize = 48;
const LIST: usize = 68;
const FIRST_OF_LIST: std::ops::Range<usize> = 76..512;

/// From here on a number is no sector's, but says that there is none.
const NO_SECTOR: u32 = 0xffff_fffa;

/// Whether the sectors of the directory, each of which names the next in a table, never end: one damaged number is
/// enough.
pub(super) fn is_endless(bytes: &[u8]) -> bool {
    let sector = if bytes.get(SHIFT) == Some(&12) { 4096 } else { 512 };
    let sectors = bytes.len() / sector;
    let word = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let place = |number: u32| (number as usize + 1) * sector;
    let mut table: Vec<u32> = FIRST_OF_LIST.step_by(4).map_while(word).collect();
    let mut list = word(LIST);
    for _ in 0..=sectors {
        let Some(number) = list.filter(|number| *number < NO_SECTOR) else { break };
        let start = place(number);
        table.extend((start..start + sector - 4).step_by(4).map_while(word));
        list = word(start + sector - 4);
    }
    table.retain(|number| *number < NO_SECTOR);
    let next = |number: u32| {
        let (row, entry) = (number as usize / (sector / 4), number as usize % (sector / 4));
        word(place(*table.get(row)?) + 4 * entry)
    };
    let mut number = word(DIRECTORY);
    for _ in 0..=sectors {
        match number.filter(|number| *number < NO_SECTOR) {
            Some(at) => number = next(at),
            None => return false,
        }
    }
    true
}
