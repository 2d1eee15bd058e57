//! Models that a person names, against the same hub.

use std::fs;
use std::path::PathBuf;

use super::hub::{Answer, Hub};
use super::{Case, range};
use crate::UserError;
use crate::open::named;

const NAME: &str = "owner/name/model.gguf";
/// What a HEAD gets: how long the file is, and no more.
const SIZE: Answer = Answer::Cut(0);

impl Case {
    fn pull(&mut self, name: &str, hub: &Hub) -> Result<PathBuf, UserError> {
        let sources = self.sources(Some(&hub.endpoint));
        named(name)?.pull(self.folder.path(), &sources, &mut self.notes)
    }
}

#[test]
fn a_name_is_a_known_one_or_a_file_of_a_hub() {
    for name in
        ["smollm2-360m", "SmolLM2-1.7B", "Qwen2.5-0.5B", "qwen2.5-1.5b", "Qwen3-0.6B", "qwen3-1.7b"]
    {
        let open = named(name).unwrap();
        assert_eq!(open.licence, Some("Apache-2.0"), "{name}");
        assert_eq!(open.revision.len(), 40, "{name}");
    }
    let other = named("owner/name.x/a-b_C.1.gguf").unwrap();
    assert_eq!((other.repo.as_str(), other.file.as_str()), ("owner/name.x", "a-b_C.1.gguf"));
    assert_eq!((other.licence, other.revision.as_str()), (None, "main"));
    let refused = [
        "",
        "qwen",
        "owner/name",
        "owner/name/weights.bin",
        "owner/../x.gguf",
        "owner/name/.gguf",
        "/etc/x.gguf",
        "owner/name/a b.gguf",
        "owner/name/main/x.gguf",
        "owner/name/x?y.gguf",
    ];
    for name in refused {
        let said = named(name).unwrap_err().to_string();
        assert!(
            said.contains("smollm2-360m, smollm2-1.7b") && said.contains("OWNER/REPO"),
            "{said}"
        );
    }
}

#[test]
fn what_is_fetched_for_the_first_time_is_pinned() {
    let mut case = Case::new();
    let hub = Hub::start(&case.file, &[SIZE, Answer::Honest]);
    let path = case.pull(NAME, &hub).unwrap();
    assert_eq!(path, case.folder.path().join("model.gguf"));
    assert_eq!(case.found(), ["model.gguf", "model.gguf.sha256"]);
    let pin = fs::read_to_string(path.with_extension("gguf.sha256")).unwrap();
    assert_eq!(pin, format!("# owner/name main\n{}  model.gguf\n", case.sum));
    let said = case.notes.lines.join("\n");
    assert!(said.contains("was not known beforehand") && said.contains(&case.sum), "{said}");
    assert!(said.contains("of owner/name, of a licence that its page tells, 200.0 kB"), "{said}");

    // Nothing is asked again, whoever is there to ask.
    case.pull(NAME, &hub).unwrap();
    assert_eq!(hub.ranges().len(), 2);
    // What was spoilt on the disk is fetched anew, and is the pinned one.
    case.leave("model.gguf", &vec![3; 200_000]);
    let hub = Hub::start(&case.file, &[SIZE, Answer::Honest]);
    case.pull(NAME, &hub).unwrap();
    assert_eq!(case.found(), ["model.gguf", "model.gguf.sha256"]);
}

#[test]
fn another_file_than_the_pinned_one_is_refused() {
    let mut case = Case::new();
    let hub = Hub::start(&case.file, &[SIZE, Answer::Honest]);
    let path = case.pull(NAME, &hub).unwrap();
    fs::remove_file(&path).unwrap();
    let hub = Hub::start(&case.file, &[SIZE, Answer::Other(vec![7; 200_000])]);
    let said = case.pull(NAME, &hub).unwrap_err().to_string();
    assert!(said.contains("not that of the known file") && said.contains("remove "), "{said}");
    assert!(said.contains("model.gguf.sha256") && said.contains("fore model use FILE"), "{said}");
    assert_eq!(case.found(), ["model.gguf.sha256"]);
    // Nor does a file of that name from elsewhere take its place.
    let said = case.pull("other/name/model.gguf", &hub).unwrap_err().to_string();
    assert!(said.contains("owner/name main") && said.contains("remove "), "{said}");
    case.leave("model.gguf.sha256", b"# owner/name main\nnothing\n");
    let said = case.pull(NAME, &hub).unwrap_err().to_string();
    assert!(said.contains("holds no checksum"), "{said}");
}

#[test]
fn a_named_model_goes_on_where_it_broke() {
    let mut case = Case::new();
    let answers = [SIZE, Answer::Cut(120_000), Answer::Status(503), SIZE, Answer::Honest];
    let hub = Hub::start(&case.file, &answers);
    assert!(case.pull(NAME, &hub).unwrap_err().to_string().contains("503"));
    assert_eq!(case.found(), ["model.gguf.part"], "nothing is pinned that is not whole");
    case.pull(NAME, &hub).unwrap();
    assert_eq!(hub.ranges(), [None, None, range(120_000), None, range(120_000)]);
    assert_eq!(case.found(), ["model.gguf", "model.gguf.sha256"]);
}

#[test]
fn what_the_hub_has_not_is_said() {
    let mut case = Case::new();
    let hub = Hub::start(&case.file, &[Answer::Status(404)]);
    let said = case.pull(NAME, &hub).unwrap_err().to_string();
    assert!(said.contains("HTTP status 404") && said.contains("owner/name/model.gguf"), "{said}");
    // A short name comes with its size: a file of another is not even read.
    let hub = Hub::start(&case.file, &[Answer::Honest]);
    let said = case.pull("qwen3-0.6b", &hub).unwrap_err().to_string();
    assert!(said.contains("has 200000 bytes, and the known file has 639446688"), "{said}");
    let asked = hub.asked.lock().unwrap()[0].0.clone();
    let revision = "23749fefcc72300e3a2ad315e1317431b06b590a";
    assert_eq!(asked, format!("/Qwen/Qwen3-0.6B-GGUF/resolve/{revision}/Qwen3-0.6B-Q8_0.gguf"));
    let mut sources = case.sources(None);
    sources.python = None;
    let offline = named(NAME).unwrap().pull(case.folder.path(), &sources, &mut case.notes);
    assert!(offline.unwrap_err().to_string().contains("HF_HUB_OFFLINE"));
}
