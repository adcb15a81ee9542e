//! `tidegate config show`: every setting that is in force, with where it comes from. Of a secret it shows where it
//! lies, never what it is.

use super::operate::page::{self, Page};
use super::{Common, Failure, say};
use crate::wiring;
use config::InForce;
use serde_json::{Value, json};

const EXAMPLES: &str = "\
Examples:
  tidegate config show                        every setting, defaults included
  tidegate config show --origin               the same, with file and line, variable or flag of each
  tidegate config show systems.erp --origin   what stands below a section
  TIDEGATE__HUB__LISTEN=0.0.0.0:8080 tidegate config show hub.listen --origin

Secrets are shown as the reference that the configuration holds.

Exit codes: 0 shown; 3 something is wrong in the configuration (what could be read is shown); 4 no such setting.";

/// What is in force, and who said so
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Shows every setting that is in force
    #[command(after_help = EXAMPLES)]
    Show {
        /// Only what is this key or stands below it
        key: Option<String>,
        /// Where each comes from: the default, a place in the file, a variable, a flag
        #[arg(long)]
        origin: bool,
    },
}

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let What::Show { key, origin } = &args.what;
    let loaded = wiring::load(&common.config, &common.overrides, false);
    let settings: Vec<&InForce> =
        loaded.config.in_force.iter().filter(|setting| is_asked(setting, key.as_deref())).collect();
    if let (Some(key), true) = (key, settings.is_empty() && loaded.is_good()) {
        let known = loaded.config.in_force.iter().map(|setting| setting.key.as_str());
        let near = config::nearest(key, known).map(|near| format!("; did you mean {near}?"));
        return Err(Failure::NotFound(format!("nothing is set at {key}{}", near.unwrap_or_default())));
    }
    if common.json {
        let settings: Vec<Value> = settings.iter().map(|setting| told(setting)).collect();
        page::json(&json!({ "settings": settings, "revision": loaded.revision }));
    } else {
        shown(&settings, *origin);
    }
    if loaded.is_good() {
        return Ok(());
    }
    say::note(config::render(&loaded.report.findings));
    say::note(format_args!("{} to mend in {}.", loaded.report.findings.len(), common.config.display()));
    Err(Failure::Found)
}

fn is_asked(setting: &InForce, key: Option<&str>) -> bool {
    let Some(key) = key else { return true };
    let rest = setting.key.strip_prefix(key.trim_end_matches('.'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// One `key = value` a line, as it may stand in the file; with origins, beside them.
fn shown(settings: &[&InForce], origin: bool) {
    let mut page = Page::new();
    if origin {
        let row =
            |setting: &&InForce| vec![setting.key.clone(), setting.value.clone(), setting.origin.to_string()];
        page.table(&["key", "value", "from"], settings.iter().map(row).collect());
    } else {
        for setting in settings {
            page.line(format!("{} = {}", setting.key, setting.value));
        }
    }
    page.print();
}

fn told(setting: &InForce) -> Value {
    let at = setting.origin.spot().map(|spot| {
        let (line, column) = spot.line_column();
        json!({ "file": spot.source.name(), "line": line, "column": column })
    });
    json!({
        "key": setting.key, "value": setting.value, "local": setting.local,
        "from": setting.origin.kind(), "at": at, "origin": setting.origin.to_string(),
    })
}
