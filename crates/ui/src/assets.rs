//! Style, icon and the small script, built into the binary. Their address holds a digest of their content, so that a
//! browser keeps them for ever and a new version is a new address.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::key::hex;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

#[derive(Debug)]
pub(crate) struct Asset {
    pub(crate) path: String,
    kind: &'static str,
    content: &'static str,
}

fn asset(name: &str, ending: &str, kind: &'static str, content: &'static str) -> Asset {
    let digest = hex(&Sha256::digest(content.as_bytes())[..6]);
    Asset { path: format!("{name}-{digest}.{ending}"), kind, content }
}

pub(crate) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| asset("style", "css", "text/css; charset=utf-8", include_str!("../assets/style.css")));
pub(crate) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    asset("refresh", "js", "text/javascript; charset=utf-8", include_str!("../assets/refresh.js"))
});
pub(crate) static ICON: LazyLock<Asset> =
    LazyLock::new(|| asset("icon", "svg", "image/svg+xml", include_str!("../assets/icon.svg")));

pub(crate) async fn serve(Path(file): Path<String>) -> Response {
    let all: [&Asset; 3] = [&STYLE, &SCRIPT, &ICON];
    match all.into_iter().find(|asset| asset.path == file) {
        Some(asset) => {
            let kept = "public, max-age=31536000, immutable";
            ([(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, kept)], asset.content)
                .into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
