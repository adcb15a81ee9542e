//! The flow of truth as a picture: what a reader sees in it, and that what people wrote stays text. Their look is kept
//! as snapshots; read them in a browser before you accept a change.

use tidegate_check::{Explanation, FlowTruth, SystemTruth, Width};

fn system(name: &str, role: &str, connector: &str, owns: &[&str]) -> SystemTruth {
    SystemTruth {
        system: name.into(),
        role: role.into(),
        connector: Some(connector.into()),
        owns: owns.iter().map(|owned| (*owned).to_owned()).collect(),
    }
}

fn flow(name: &str, domain: &str, [source, target]: [&str; 2], mode: &str, trigger: &str) -> FlowTruth {
    FlowTruth {
        flow: name.into(),
        domain: domain.into(),
        source: source.into(),
        target: target.into(),
        connector: None,
        shops: vec!["acme".into(), "acme-uk".into()],
        mode: mode.into(),
        trigger: trigger.into(),
        go_live_at: None,
        mapping: format!("mappings/{name}.toml"),
        carries: Vec::new(),
        export_lag: "1m".into(),
        on_failure: vec![
            "12 tries, up to 5m apart, then a dead letter".into(),
            "left alone once 3 subjects fail in a row".into(),
        ],
        orders: None,
    }
}

/// A composable architecture: five systems, one of them idle, two flows beside Shopify.
fn several() -> Explanation {
    Explanation {
        systems: vec![
            system("shopify", "shopify", "Shopify's Admin API", &["orders"]),
            system(
                "tryton",
                "erp",
                "Tryton 8.0 over JSON-RPC",
                &["orders: erp.number, erp.state", "pricing"],
            ),
            system("akeneo", "pim", "a REST system", &["products"]),
            system("warehouse", "wms", "a REST system", &["inventory"]),
            system("crm", "crm", "a REST system", &[]),
        ],
        domains: Vec::new(),
        flows: vec![
            flow("orders_to_erp", "orders", ["shopify", "tryton"], "live", "webhooks, and a sweep every 5m"),
            flow(
                "erp_number_back",
                "orders",
                ["tryton", "shopify"],
                "live",
                "what deliveries to tryton found out",
            ),
            flow("products_in", "products", ["akeneo", "shopify"], "shadow", "a sweep every 1h"),
            flow("stock_to_erp", "inventory", ["warehouse", "tryton"], "off", "nothing: it is off"),
        ],
        scopes: Vec::new(),
        overridden: Vec::new(),
    }
}

#[test]
fn several_systems_for_a_page() {
    insta::assert_snapshot!(several().to_svg(Width::Wide));
}

#[test]
fn several_systems_for_a_phone() {
    insta::assert_snapshot!(several().to_svg(Width::Narrow));
}

#[test]
fn several_systems_in_mermaid() {
    insta::assert_snapshot!(several().to_mermaid());
}

/// Each flow stands in each picture as a sentence that can be heard: all that DESIGN asks of the flow of truth.
#[test]
fn every_flow_is_heard_whole() {
    let heard = "stock_to_erp brings inventory from warehouse to tryton, off. shops: acme, acme-uk. moved by: nothing: \
                 it is off. within: 1m. mapping: mappings/stock_to_erp.toml. on failure: 12 tries, up to 5m apart, \
                 then a dead letter; left alone once 3 subjects fail in a row.";
    for width in [Width::Wide, Width::Narrow] {
        assert!(several().to_svg(width).contains(&format!("aria-label=\"{heard}\"")));
    }
}

#[test]
fn what_people_wrote_is_text_in_every_picture() {
    let mut truth = several();
    truth.flows[0].mapping = "a<script>\"&`#.toml".into();
    for width in [Width::Wide, Width::Narrow] {
        assert!(truth.to_svg(width).contains("a&lt;script&gt;&quot;&amp;`#.toml"));
    }
    assert!(truth.to_mermaid().contains("a#lt;script#gt;#quot;#amp;#96;#35;.toml"));
}

/// A configuration that names what there is not is drawn, too: that is when one looks.
#[test]
fn a_system_that_is_not_configured_is_said_to_be_so() {
    let mut truth = several();
    truth.flows[2].source = "pim".into();
    assert!(truth.to_svg(Width::Wide).contains("is not configured"));
    assert!(truth.to_mermaid().contains("is not configured"));
    assert!(
        Explanation { flows: Vec::new(), ..several() }
            .to_svg(Width::Narrow)
            .contains("No flow is configured.")
    );
}
