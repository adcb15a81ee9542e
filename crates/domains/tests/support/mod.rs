//! Fixtures as values that a test may alter, and files that are compared with what the code makes.

use std::path::{Path, PathBuf};

use serde_json::Value;

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pairs")
}

/// The REST or GraphQL form of a pair: `read("edited", "rest")`.
pub(crate) fn read(pair: &str, form: &str) -> Value {
    let bytes = std::fs::read(fixtures().join(pair).join(format!("{form}.json"))).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// The names of all pairs.
pub(crate) fn pairs() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Sets, adds or (with `None`) removes the value at a JSON pointer.
pub(crate) fn set(value: &mut Value, pointer: &str, new: Option<Value>) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match (value.pointer_mut(parent).unwrap(), new) {
        (Value::Object(members), Some(new)) => {
            members.insert(key.to_owned(), new);
        }
        (Value::Object(members), None) => {
            members.remove(key);
        }
        (Value::Array(elements), Some(new)) => elements[key.parse::<usize>().unwrap()] = new,
        (Value::Array(elements), None) => {
            elements.remove(key.parse::<usize>().unwrap());
        }
        _ => panic!("{pointer} leads into a scalar"),
    }
}

/// Compares with a file of the repository; `TIDEGATE_BLESS=1` writes it instead.
pub(crate) fn assert_file(path: &Path, made: &str) {
    if std::env::var_os("TIDEGATE_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, made).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == made,
        "{} is not what the code makes; look at the difference after running the test with TIDEGATE_BLESS=1",
        path.display()
    );
}
