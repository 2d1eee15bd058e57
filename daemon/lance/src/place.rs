//! Where the tables are, a directory or a folder of an object store, and what is said when something is wrong there.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use daemon::store::StoreError;
use lance_io::object_store::{ObjectStore, ObjectStoreParams, StorageOptionsAccessor};
use lancedb::{Connection, ObjectStoreRegistry, Session};

use crate::lease::REQUEST_MAX;

/// Memory for opened indexes, bytes. Lance's own default is 6 GiB, too much for a service that
/// runs all day on the user's machine; the full-text index of 100,000 passages is about 45 MB.
const INDEX_CACHE: usize = 256 << 20;

/// Memory for file footers and other metadata, bytes (Lance's default is 1 GiB).
const METADATA_CACHE: usize = 64 << 20;

/// How long a request to an object store is tried again, seconds; Lance's own default is 180, for which nobody waits who
/// has asked a question.
const RETRY_SECONDS: u64 = 20;

/// What an error of an object store says, and what helps. The first that fits counts.
const ADVICE: [(&[&str], &str); 6] = [
    (&["NoSuchBucket"], "make that bucket, or name another: fore config set store.uri URI"),
    (
        &["Failed to get AWS credentials", "CredentialsNotLoaded"],
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where the daemon is started",
    ),
    (
        &[
            "403 Forbidden",
            "401 Unauthorized",
            "AccessDenied",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "privileges",
        ],
        "the store refuses these credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, where the daemon is started, \
         are to be someone's who may read and write there",
    ),
    (
        &["HTTP error: builder error"],
        "AWS_ENDPOINT_URL is to be a URL; where that begins with http:, set AWS_ALLOW_HTTP=true too, where the daemon is \
         started",
    ),
    (
        &["Failed to resolve region"],
        "set AWS_REGION, or AWS_ENDPOINT_URL for a store that is not Amazon's, where the daemon is started",
    ),
    (
        &[""],
        "if the store does not answer, see that it runs and that AWS_ENDPOINT_URL names it; nothing is lost, the index \
         is made of the files",
    ),
];

/// See the module.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    Directory(PathBuf),
    /// As `s3://bucket/folder`. Its tables share what is open and cached.
    Shared {
        uri: String,
        session: Arc<Session>,
    },
}

impl From<&Path> for Place {
    fn from(directory: &Path) -> Place {
        Place::Directory(directory.to_owned())
    }
}

impl Place {
    pub(crate) fn shared(uri: &str) -> Place {
        Place::Shared { uri: uri.trim_end_matches('/').to_owned(), session: session() }
    }

    pub(crate) fn shown(&self) -> String {
        match self {
            Place::Directory(directory) => directory.display().to_string(),
            Place::Shared { uri, .. } => uri.clone(),
        }
    }

    pub(crate) async fn connect(&self) -> Result<Connection, StoreError> {
        let connecting = match self {
            Place::Directory(directory) => {
                let path = directory.to_str().ok_or_else(|| {
                    StoreError(format!("{} is not valid UTF-8: choose another place", self.shown()))
                })?;
                lancedb::connect(path).session(session())
            }
            Place::Shared { uri, session } => {
                lancedb::connect(uri).session(Arc::clone(session)).storage_options(options())
            }
        };
        connecting.execute().await.map_err(|error| self.failure("open the index", &error))
    }

    /// The object store and the folder in it. Only of a place that is shared is there one to speak of.
    pub(crate) async fn objects(
        &self,
    ) -> Result<(Arc<ObjectStore>, object_store::path::Path), StoreError> {
        let Place::Shared { uri, session } = self else {
            return Err(self.damaged("share the index: it is in a directory"));
        };
        let accessor = StorageOptionsAccessor::with_static_options(options());
        let params = ObjectStoreParams {
            storage_options_accessor: Some(Arc::new(accessor)),
            ..ObjectStoreParams::default()
        };
        let opened = ObjectStore::from_uri_and_params(session.store_registry(), uri, &params).await;
        opened.map_err(|error| self.damaged(&told("open the index", &error.to_string())))
    }

    pub(crate) fn failure(&self, doing: &str, error: &lancedb::Error) -> StoreError {
        self.damaged(&told(doing, &error.to_string()))
    }

    pub(crate) fn damaged(&self, what: &str) -> StoreError {
        StoreError(match self {
            Place::Directory(directory) => format!(
                "cannot {what} (the index is a cache: if it is damaged, delete {} and it is built again)",
                directory.display()
            ),
            Place::Shared { uri, .. } => format!("cannot {what} (in {uri}; {})", advice(what)),
        })
    }
}

fn session() -> Arc<Session> {
    let registry = Arc::new(ObjectStoreRegistry::default());
    Arc::new(Session::new(INDEX_CACHE, METADATA_CACHE, registry))
}

/// How an object store is asked. Who asks, where and in which region is in the environment (`AWS_…`).
fn options() -> HashMap<String, String> {
    let seconds = REQUEST_MAX.as_secs();
    HashMap::from([
        ("timeout".to_owned(), format!("{seconds}s")),
        ("client_retry_timeout".to_owned(), RETRY_SECONDS.to_string()),
    ])
}

fn advice(what: &str) -> &'static str {
    let mut fitting =
        ADVICE.iter().filter(|(signs, _)| signs.iter().any(|sign| what.contains(sign)));
    fitting.next().map_or("", |(_, advice)| advice)
}

/// What failed at what, on one line.
pub(crate) fn told(doing: &str, error: &str) -> String {
    let error = without_places(error);
    let words: Vec<&str> = error.split_whitespace().collect();
    format!("{doing}: {}", words.join(" "))
}

/// An error without the places in its library's source, which are of the machine that this program was built on.
fn without_places(error: &str) -> String {
    let is_place = |word: &&str| word.contains('/') && word.contains(".rs:");
    let words: Vec<&str> = error.split(' ').filter(|word| !is_place(word)).collect();
    words.join(" ").trim_end_matches([' ', ',']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_no_place_of_the_machine_that_built_this() {
        for (error, expected) in [
            (
                "lance error: Not found: a/b, /root/.cargo/registry/src/x/y-1.0/src/io.rs:12:34",
                "lance error: Not found: a/b",
            ),
            ("no room on /disk/notes.rs", "no room on /disk/notes.rs"),
            ("", ""),
        ] {
            assert_eq!(without_places(error), expected);
        }
    }

    #[test]
    fn of_a_shared_index_nobody_is_told_to_delete_anything() {
        let place = Place::shared("s3://notes/index/");
        for (error, expected) in [
            ("<Code>NoSuchBucket</Code>", "make that bucket"),
            (
                "Server returned 403 Forbidden:\n  <Code>SignatureDoesNotMatch</Code>",
                "may read and write there",
            ),
            (
                "Generic S3 error: GET http://a:1/b in 24.797µs - HTTP error: builder error",
                "AWS_ALLOW_HTTP",
            ),
            ("Failed to get AWS credentials: ProviderError(...)", "set AWS_ACCESS_KEY_ID"),
            ("Failed to resolve region for bucket 'notes'", "AWS_REGION"),
            ("after 1.403ms - HTTP error: error sending request", "see that it runs"),
            ("error sending request for url (http://127.0.0.1:9/)", "AWS_ENDPOINT_URL"),
        ] {
            let told = place.damaged(&told("open the index", error)).0;
            assert!(told.starts_with("cannot open the index: "), "{told}");
            assert!(told.contains(expected) && told.contains("in s3://notes/index;"), "{told}");
            assert!(!told.contains("delete") && !told.contains('\n'), "{told}");
        }
        let own = Place::from(Path::new("/data/index")).damaged("open the index: it is bad").0;
        assert!(own.contains("delete /data/index"), "{own}");
    }
}
