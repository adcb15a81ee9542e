//! The demo that stays up: what its page breaks, and what its page counts.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Ended with the test.
struct Demo {
    process: Child,
    page: String,
    said: std::thread::JoinHandle<String>,
}

impl Demo {
    fn stays_up() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_tidegate"))
            .args(["demo", "--orders", "10", "--calm", "--keep"])
            .env_remove("TIDEGATE_CONFIG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap());
        let (mut line, mut told) = (String::new(), String::new());
        let page = loop {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "it ended before it stayed up: {told}");
            told += &line;
            if let Some((_, page)) = line.split_once("Break it yourself: ") {
                break page.trim().to_owned();
            }
        };
        let said = std::thread::spawn(move || {
            let mut rest = String::new();
            lines.read_to_string(&mut rest).unwrap();
            rest
        });
        Self { process, page, said }
    }

    async fn press(&self, button: &str) {
        let press = reqwest::Client::new().post(format!("{}/press/{button}", self.page));
        let answer = press.header("x-script", "1").send().await.unwrap();
        assert_eq!(answer.status(), 204, "{button}: {}", answer.text().await.unwrap());
    }

    async fn figures(&self) -> Value {
        reqwest::get(format!("{}/figures", self.page)).await.unwrap().json().await.unwrap()
    }

    /// Until the page says so, or the runner ends the test.
    async fn comes(&self, what: impl Fn(&Value) -> bool) -> Value {
        let mut every = tokio::time::interval(Duration::from_millis(200));
        loop {
            every.tick().await;
            let figures = self.figures().await;
            if what(&figures) {
                return figures;
            }
        }
    }

    /// As by Ctrl-C: how it ended, and what it said since it stayed up.
    fn ends(mut self) -> (bool, String) {
        let pid = Pid::from_raw(self.process.id().cast_signed()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        (self.process.wait().unwrap().success(), self.said.join().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_pressed_each_order_is_counted_once() {
    let demo = Demo::stays_up();
    let page = reqwest::get(&demo.page).await.unwrap().text().await.unwrap();
    assert!(page.contains("Duplicate storm") && page.contains("/press/kill"), "{page}");
    let before = demo.comes(|figures| figures["placed"] == 10).await;
    assert_eq!((&before["ledger"]["orders"], &before["ledger"]["holds"]), (&10.into(), &true.into()));

    demo.press("hooks-storm").await;
    demo.press("erp-lies").await;
    for _ in 0..6 {
        demo.press("order").await;
    }
    demo.press("kill").await;
    demo.press("erp-down").await;
    demo.press("poison").await;
    demo.press("unknown-item").await;
    let down = demo.comes(|figures| figures["placed"] == 18 && figures["unknown_item"] == 1).await;
    assert!(down["on_their_way"].as_u64().unwrap() > 0 && down["kills"] == 1, "{down}");
    demo.press("erp-well").await;
    demo.comes(|figures| figures["on_their_way"] == 1 && figures["hub"]["dead_letters"] == 2).await;
    demo.press("add-items").await;
    let after = demo.comes(|figures| figures["ledger"]["orders"] == 18).await;
    let count = |name: &str| after["ledger"][name].clone();
    assert_eq!((count("lost"), count("doubled"), count("dead")), (0.into(), 0.into(), 1.into()), "{after}");
    assert_eq!((count("holds"), &after["doubled"]), (true.into(), &0.into()), "{after}");
    assert!(after["webhook_copies"].as_u64().unwrap() > 40, "there was no storm: {after}");

    let (good, said) = demo.ends();
    assert!(good && said.contains("Nothing lost, nothing doubled"), "{said}");
}
