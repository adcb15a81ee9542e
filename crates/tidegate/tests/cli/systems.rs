//! Each system tried, and webhook subscriptions made to match, against the look-alikes: what is well, what is not, and
//! that nothing is changed by looking.

use crate::typed::Desk;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

/// A look-alike; it is ended with the test.
struct Twin {
    child: Child,
    url: String,
}

impl Twin {
    /// Where it serves is the first address that it says.
    fn start(desk: &Desk, args: &[&str]) -> Self {
        let mut command = desk.command(&[&["twin"], args, &["--port", "0"]].concat());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let url = lines.by_ref().find_map(|line| address(&line)).unwrap();
        // Read on, so that it is never held up by a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }
}

/// `http://HOST:PORT` in a line; `control_url` comes before `url` in an office's.
fn address(line: &str) -> Option<String> {
    let host = line[line.rfind("http://")?..].split(['"', '/']).nth(2)?;
    Some(format!("http://{host}"))
}

impl Drop for Twin {
    fn drop(&mut self) {
        // One that ended by itself is waited for all the same.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const CONFIG: &str = "hub/tidegate.toml";

fn shop(desk: &Desk) -> Twin {
    let shop = Twin::start(desk, &["shopify", "--orders", "0"]);
    desk.edit(CONFIG, "http://127.0.0.1:9001", &shop.url);
    shop
}

fn erp(desk: &Desk) -> Twin {
    let erp = Twin::start(desk, &["erp"]);
    desk.edit(CONFIG, "http://127.0.0.1:9002", &erp.url);
    erp
}

fn probe<'a>(answer: &'a Value, of: &str, name: &str) -> &'a Value {
    let probes = answer["probes"].as_array().unwrap();
    probes.iter().find(|line| line["of"] == of && line["probe"] == name).unwrap_or_else(|| panic!("{answer}"))
}

#[test]
fn systems_that_are_well_are_told_so_each_by_each() {
    let desk = Desk::begun();
    let (_shop, _erp) = (shop(&desk), erp(&desk));
    let answer = desk.tidegate(&["doctor", "-c", CONFIG, "--json"]).ended(0).json();
    for name in ["token", "domain", "scopes", "api_version", "time_zone", "plan", "clock"] {
        assert_eq!(probe(&answer, "acme", name)["outcome"], "well", "{answer}");
    }
    assert_eq!(probe(&answer, "erp", "health")["outcome"], "well", "{answer}");
    // Nobody has made them yet: a running hub will, so that nothing failed.
    assert_eq!(probe(&answer, "acme", "subscriptions")["outcome"], "warning", "{answer}");
    desk.tidegate(&["doctor", "-c", CONFIG]).ended(0).shows(&["erp answers", "subscriptions apply"]);
    assert!(!desk.path("hub/data").exists(), "it changes nothing");
}

#[test]
fn what_fails_is_named_and_the_rest_is_tried_all_the_same() {
    let desk = Desk::begun();
    let (_shop, erp) = (shop(&desk), erp(&desk));
    desk.write("hub/secrets/access_token", "shpat_of_another_shop\n");
    let answer = desk.tidegate(&["doctor", "-c", CONFIG, "--json"]).ended(3).json();
    assert_eq!(probe(&answer, "acme", "token")["outcome"], "failed", "{answer}");
    assert_eq!(probe(&answer, "erp", "health")["outcome"], "well", "{answer}");

    desk.write("hub/secrets/access_token", "shpat_twin\n");
    desk.write("hub/secrets/erp.secret", "not-its-token\n");
    let answer = desk.tidegate(&["doctor", "-c", CONFIG, "--json"]).ended(3).json();
    assert_eq!(probe(&answer, "acme", "token")["outcome"], "well", "{answer}");
    assert_eq!(probe(&answer, "erp", "health")["outcome"], "failed", "{answer}");

    drop(erp);
    desk.tidegate(&["doctor", "-c", CONFIG]).ended(3).shows(&["FAILED"]);
}

#[test]
fn subscriptions_are_planned_made_and_then_as_they_should_be() {
    let desk = Desk::begun();
    let _shop = shop(&desk);
    let ask =
        |act: &str| desk.tidegate(&["shopify", "subscriptions", act, "-c", CONFIG, "--json"]).ended(0).json();
    let actions = |answer: &Value| -> Vec<String> {
        let changes = answer["shops"][0]["changes"].as_array().unwrap();
        changes.iter().map(|change| change["action"].as_str().unwrap().to_owned()).collect()
    };
    let plan = ask("plan");
    assert!(actions(&plan).len() > 5 && actions(&plan).iter().all(|action| action == "create"), "{plan}");
    assert_eq!(ask("plan"), plan, "a plan changes nothing");
    let made = ask("apply");
    assert_eq!(actions(&made), actions(&plan));
    assert!(made["shops"][0]["changes"].as_array().unwrap().iter().all(|change| change["result"] == "done"));
    assert!(actions(&ask("plan")).iter().all(|action| action == "keep"));
    desk.tidegate(&["shopify", "subscriptions", "plan", "--shop", "beta", "-c", CONFIG])
        .ended(4)
        .tells(&["acme"]);

    // A hub that polls wants none.
    desk.edit(CONFIG, "public_url = ", "# public_url = ");
    let said = desk.tidegate(&["shopify", "subscriptions", "plan", "-c", CONFIG]).ended(0);
    said.tells(&["acme", "hub.public_url is not set", "polled"]);
}

/// An order of one's own shop goes through at the first try; who wants an ERP's strictness asks for it.
#[test]
fn the_erp_look_alike_takes_the_items_of_whatever_shop_unless_it_is_strict() {
    let desk = Desk::new();
    let cases: [(&[&str], bool); 3] =
        [(&[], true), (&["--strict-items"], false), (&["--knob", "accept_any_item=false"], false)];
    for (args, taken) in cases {
        let erp = Twin::start(&desk, &[&["erp"], args].concat());
        assert_eq!(asked(&erp.url, "/twin/knobs")["accept_any_item"], taken, "{args:?}");
    }
}

fn asked(url: &str, path: &str) -> Value {
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}
