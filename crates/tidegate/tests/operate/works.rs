//! Works that take their time, against the look-alikes: what is counted, what is brought, what does not add up.

use crate::folder::Folder;
use crate::seeded;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

/// With the first seed none of so few is changed later, so that nothing has to be waited for.
const ORDERS: usize = 5;

/// The look-alikes of a shop and a back office.
struct Twins {
    _shop: Twin,
    _erp: Twin,
    shop_url: String,
    erp_url: String,
    /// On which all orders were placed.
    day: Date,
}

impl Twins {
    fn start() -> Self {
        let folder = Folder::new();
        let orders = ORDERS.to_string();
        let shop = ["twin", "shopify", "--port", "0", "--orders", &orders, "--per-minute", "60000"];
        let secrets = ["--access-token", "shpat_test", "--client-secret", "hush"];
        let erp = ["twin", "erp", "--port", "0", "--token", "erp"];
        loop {
            let day = today();
            // The last thing that each says before it stays up.
            let (shop, said) = Twin::start(&folder, &[shop.as_slice(), &secrets].concat(), "stays open");
            // Around midnight: once more.
            if today() != day {
                continue;
            }
            let shop_url = address(&said);
            let (erp, said) = Twin::start(&folder, &erp, "control_url");
            return Self { _shop: shop, _erp: erp, shop_url, erp_url: address(&said), day };
        }
    }
}

/// One of them; it is ended with the test.
struct Twin(Child);

impl Twin {
    /// Reads until it has said that.
    fn start(folder: &Folder, args: &[&str], last: &str) -> (Self, Vec<String>) {
        let mut command = folder.command(args);
        let mut twin = Self(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
        let mut said = Vec::new();
        for line in BufReader::new(twin.0.stdout.take().unwrap()).lines().map_while(Result::ok) {
            let is_last = line.contains(last);
            said.push(line);
            if is_last {
                return (twin, said);
            }
        }
        panic!("{last:?} was never said: {said:?}");
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        // One that ended by itself is waited for all the same.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The last one that was said.
fn address(said: &[String]) -> String {
    let said = said.join(" ");
    let from = said.rfind("http://").unwrap();
    let host = said[from..].split(['"', '/']).nth(2).unwrap();
    format!("http://{host}")
}

#[expect(clippy::disallowed_methods, reason = "the look-alike's orders are of today")]
fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

#[test]
fn what_the_shop_has_and_the_log_has_not_is_counted_brought_and_missed_in_the_proof() {
    let twins = Twins::start();
    let folder = Folder::between(&twins.shop_url, &twins.erp_url);
    seeded::empty(&folder);
    let (day, before) = (twins.day.to_string(), twins.day.yesterday().unwrap().to_string());

    let plan = folder.json(&["backfill", "orders", "--since", "2026-11-01", "--dry-run"]);
    assert_eq!([&plan["listed"], &plan["appended"]], [ORDERS, ORDERS], "{plan}");
    assert_eq!(plan["parts"][0]["flow"], "orders_to_erp");
    assert_eq!(folder.json(&["status"])["log"]["envelopes"], 0, "a plan changes nothing");

    // Nobody has exported anything: it does not add up, and says what is missing.
    let prove = ["prove", "orders", "--day", &day];
    let said = folder.tidegate(&prove);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.contains("DOES NOT ADD UP") && said.out.contains("unheard"), "{}", said.out);
    let said = folder.tidegate(&[prove.as_slice(), &["--json"]].concat());
    let proof: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!([&proof["source"], &proof["unheard"]], [ORDERS, ORDERS], "{proof}");
    assert_eq!((said.code, &proof["holds"]), (Some(3), &serde_json::json!(false)));

    let said = folder.tidegate(&["backfill", "orders", "--since", "2026-11-01", "--why", "the first day"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("plan: 5 orders at the source"), "{}", said.err);
    assert!(said.out.contains("5 orders on the way"), "{}", said.out);
    assert_eq!(folder.json(&["status"])["log"]["envelopes"], ORDERS);
    assert_eq!(folder.json(&["audit"])["entries"][0]["why"], "the first day");

    // What was brought is not missed.
    assert_eq!(folder.json(&["sweep"])["missed"], 0);
    // A day on which nothing was sold adds up.
    let said = folder.tidegate(&["prove", "orders", "--day", &before]);
    assert!(said.code == Some(0) && said.out.contains("every order is accounted for"), "{said:?}");
}
