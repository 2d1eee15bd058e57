//! What `fore --version` tells, and with `--verbose` what a report of a bug should have besides.

use daemon_protocol::PROTOCOL;

use crate::launch::VERSION;

/// `fore 0.1.0`, and if `verbose` the commit, the protocol and the devices it was built for.
pub(crate) fn text(verbose: bool) -> String {
    let first = format!("fore {VERSION}\n");
    if !verbose {
        return first;
    }
    let built_for =
        [(true, "cpu"), (cfg!(feature = "cuda"), "cuda"), (cfg!(feature = "metal"), "metal")];
    let devices: Vec<&str> =
        built_for.into_iter().filter(|(built, _)| *built).map(|(_, name)| name).collect();
    format!(
        "{first}commit   {}\nprotocol {PROTOCOL}\ndevices  {}\nsystem   {} {}\n",
        env!("FORE_COMMIT"),
        devices.join(", "),
        std::env::consts::OS,
        std::env::consts::ARCH,
    )
}
