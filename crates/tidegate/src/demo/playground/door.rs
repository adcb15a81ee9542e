//! The page of the playground and its three addresses, on this machine alone. Another site in the same browser presses nothing: a press
//! that says where it comes from has to come from here, and the name that was asked for has to be this machine's.

use super::Press;
use super::buttons::{Button, Of};
use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;
use std::fmt::Write as _;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;

const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

/// Open until it is dropped.
#[derive(Debug)]
pub(super) struct Door {
    url: String,
    serving: AbortHandle,
}

impl Door {
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[derive(Debug, Clone)]
struct Parts {
    presses: mpsc::Sender<Press>,
    show: watch::Receiver<Value>,
    hub: String,
}

/// On a port that is free. `hub`: where its own pages are.
pub(super) async fn open(
    presses: mpsc::Sender<Press>,
    show: watch::Receiver<Value>,
    hub: String,
) -> anyhow::Result<Door> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let app = router(Parts { presses, show, hub });
    let serving = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, app).await {
            tracing::error!(error = %error, "the playground's page stopped");
        }
    });
    Ok(Door { url, serving: serving.abort_handle() })
}

fn router(parts: Parts) -> Router {
    let text = |kind: &'static str, text: &'static str| move || async move { ([(CONTENT_TYPE, kind)], text) };
    Router::new()
        .route("/", get(page))
        .route("/page.css", get(text("text/css; charset=utf-8", STYLE)))
        .route("/page.js", get(text("text/javascript; charset=utf-8", SCRIPT)))
        .route("/figures", get(figures))
        .route("/press/{button}", post(press))
        .layer(from_fn(from_here))
        .with_state(parts)
}

/// A name of somebody else's that leads to this machine is not this machine.
async fn from_here(request: Request, next: Next) -> Response {
    if !is_from_here(request.headers()) {
        return (StatusCode::FORBIDDEN, "this page is for the browser on this machine").into_response();
    }
    next.run(request).await
}

fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
    let Some(host) = text(HOST) else { return false };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let own = matches!(name, "127.0.0.1" | "localhost" | "[::1]");
    own && text(ORIGIN).is_none_or(|origin| origin == format!("http://{host}"))
}

async fn page(State(parts): State<Parts>) -> Response {
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; \
                  img-src data:; base-uri 'none'; frame-ancestors 'none'";
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, policy),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, written(&parts.hub)).into_response()
}

/// The page with its buttons; its figures come by `/figures`.
fn written(hub: &str) -> String {
    let mut groups = String::new();
    for of in Of::ALL {
        // Writing to a text never fails.
        let _ = write!(groups, "<section class=\"card\"><h2>{}</h2><div class=\"buttons\">", of.heading());
        for button in Button::ALL.into_iter().filter(|button| button.of() == of) {
            let _ = write!(
                groups,
                "<form method=\"post\" action=\"/press/{name}\"><button name=\"press\" value=\"{name}\" \
                 aria-describedby=\"about-{name}\">{label}</button><p id=\"about-{name}\">{says}</p></form>",
                name = button.name(),
                label = button.label(),
                says = button.says(),
            );
        }
        groups += "</div></section>";
    }
    PAGE.replace("{{buttons}}", &groups).replace("{{hub}}", hub)
}

async fn figures(State(parts): State<Parts>) -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(parts.show.borrow().clone())).into_response()
}

/// Answers when it is done: a kill, when the hub is back.
async fn press(State(parts): State<Parts>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(button) = Button::named(&name) else {
        return (StatusCode::NOT_FOUND, format!("there is no button {name:?}")).into_response();
    };
    let (done, told) = oneshot::channel();
    if parts.presses.send(Press { button, done }).await.is_err() {
        return (StatusCode::GONE, "the demo is at its end").into_response();
    }
    match told.await {
        // Without the script the browser goes where it is sent.
        Ok(Ok(())) if headers.get("x-script").is_none() => Redirect::to("/").into_response(),
        Ok(Ok(())) => StatusCode::NO_CONTENT.into_response(),
        Ok(Err(why)) => (StatusCode::INTERNAL_SERVER_ERROR, why).into_response(),
        Err(_) => (StatusCode::GONE, "the demo is at its end").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tower::ServiceExt as _;

    fn asked(method: &str, path: &str, headers: &[(&str, &str)]) -> Request {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(axum::body::Body::empty()).unwrap()
    }

    fn parts() -> (Parts, mpsc::Receiver<Press>) {
        let (presses, pressed) = mpsc::channel(1);
        let (_, show) = watch::channel(serde_json::json!({ "placed": 3 }));
        (Parts { presses, show, hub: "http://127.0.0.1:1".to_owned() }, pressed)
    }

    #[tokio::test]
    async fn a_press_is_done_once_and_what_failed_is_said() {
        let (parts, mut pressed) = parts();
        let host = ("host", "127.0.0.1:7");
        let doing = tokio::spawn(async move {
            let first = pressed.recv().await.unwrap();
            first.done.send(Ok(())).unwrap();
            let second = pressed.recv().await.unwrap();
            second.done.send(Err("it is gone".to_owned())).unwrap();
            [first.button, second.button]
        });
        let app = router(parts);
        let own = ("origin", "http://127.0.0.1:7");
        let answer = app.clone().oneshot(asked("POST", "/press/erp-down", &[host, own])).await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let answer = app.oneshot(asked("POST", "/press/kill", &[host, ("x-script", "1")])).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(doing.await.unwrap(), [Button::ErpDown, Button::Kill]);
    }

    #[tokio::test]
    async fn no_other_site_presses_and_no_other_name_leads_here() {
        let (parts, mut pressed) = parts();
        let app = router(parts);
        for headers in [
            &[("host", "127.0.0.1:7"), ("origin", "https://evil.example")][..],
            &[("host", "evil.example:7")],
            &[("host", "127.0.0.1:7"), ("origin", "null")],
            &[],
        ] {
            let answer = app.clone().oneshot(asked("POST", "/press/kill", headers)).await.unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{headers:?}");
        }
        let answer = app.oneshot(asked("POST", "/press/nothing", &[("host", "localhost:7")])).await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert!(pressed.try_recv().is_err());
    }

    #[test]
    fn the_page_has_every_button() {
        let page = written("http://127.0.0.1:9");
        for button in Button::ALL {
            assert!(page.contains(&format!("action=\"/press/{}\"", button.name())), "{button:?}");
        }
        assert!(page.contains("href=\"http://127.0.0.1:9\"") && !page.contains("{{"));
    }
}
