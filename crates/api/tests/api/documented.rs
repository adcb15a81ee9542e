//! What docs/api.md promises is there, and what is there is in docs/api.md.

use crate::world::World;
use http::{Method, StatusCode};

const PAGE: &str = include_str!("../../../../docs/api.md");
const ENDPOINTS: [&str; 2] =
    [include_str!("../../src/admin/mod.rs"), include_str!("../../src/admin/prices/mod.rs")];

fn headings() -> Vec<(Method, String)> {
    let heading = |line: &str| {
        let (method, path) = line.strip_prefix("### `")?.strip_suffix('`')?.split_once(' ')?;
        Some((method.parse().unwrap(), path.to_owned()))
    };
    PAGE.lines().filter_map(heading).collect()
}

#[tokio::test]
async fn every_endpoint_of_the_page_is_there() {
    let world = World::new().await;
    for (method, path) in headings() {
        let path = path.replace("{shop}", "acme").replace("{order}", "5001").replace("{delivery}", "1");
        let path = path.replace("{load}", "1");
        let answer = world.ask(method.clone(), &path, None).await;
        assert_ne!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert!(!answer.text.contains("no endpoint"), "{method} {path}: {}", answer.text);
    }
}

#[test]
fn every_endpoint_that_is_there_is_on_the_page() {
    let routes = ENDPOINTS.iter().flat_map(|file| file.lines()).filter_map(|line| {
        let (path, handlers) = line.trim().strip_prefix(".route(\"/")?.split_once("\", ")?;
        let count = handlers.matches("get(").count() + handlers.matches("post(").count();
        Some((path, count))
    });
    let mut all = 0;
    for (path, count) in routes.filter(|(path, _)| !path.starts_with("admin")) {
        let full = format!("/admin/v1/{path}");
        let of_path = headings().iter().filter(|(_, at)| at.split('?').next() == Some(full.as_str())).count();
        assert_eq!(of_path, count, "{full}");
        all += count;
    }
    assert_eq!((all, headings().len()), (48, 48));
}
