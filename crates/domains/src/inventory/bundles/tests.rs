//! What a file of bundles may say, and where what is wrong with it is told to be.

use super::*;

fn parse(text: &str) -> Result<Bundles, String> {
    let rules = Rules::parse(&[], &["case = 12 each".to_owned()]).unwrap();
    Bundles::parse(text.as_bytes(), &rules).map_err(|refused| refused.to_string())
}

fn made_of(bundles: &Bundles, sku: &str) -> Vec<(String, u32)> {
    let pieces = bundles.made_of(sku).unwrap_or_default();
    pieces.iter().map(|piece| (piece.sku.clone(), piece.quantity)).collect()
}

#[test]
fn a_bundle_comes_down_to_what_lies_on_the_shelf() {
    let text = "bundle;component;quantity;unit\nSET;BOX;2;\nSET;\"SCREW;A\";1;case\nBOX;WOOD;4;each\nBOX;\"SCREW;A\";8;\n";
    let bundles = parse(text).unwrap();
    assert_eq!(bundles.len(), 2);
    assert_eq!(made_of(&bundles, "SET"), [("SCREW;A".to_owned(), 28), ("WOOD".to_owned(), 8)]);
    assert_eq!(made_of(&bundles, "BOX"), [("SCREW;A".to_owned(), 8), ("WOOD".to_owned(), 4)]);
    assert_eq!(bundles.family("SET"), ["BOX", "SCREW;A", "SET", "WOOD"]);
    assert_eq!(bundles.family("WOOD"), bundles.family("SET"));
    assert!(bundles.concerns("WOOD") && bundles.concerns("SET") && !bundles.concerns("X"));
    // What shares nothing with them is another family.
    let two = parse("bundle,component,quantity\nS,A,1\nT,A,1\nT,B,1\nV,C,1\n").unwrap();
    assert_eq!((two.family("B"), two.family("C")), (two.family("S"), two.family("V")));
    assert!(two.family("S").len() == 4 && two.family("V").len() == 2 && two.family("X").is_empty());
    assert_eq!(parse("\u{feff}Bundle,Component,Qty\r\nA,B,1\r\n").unwrap().len(), 1);
    assert!(parse("bundle,component,quantity\n").unwrap().is_empty());
}

#[test]
fn what_cannot_be_is_refused_with_its_line_and_column() {
    let head = "bundle,component,quantity,unit\n";
    for (rows, expected) in [
        ("A,A,1,", "line 2, column 3, component: a bundle cannot hold itself"),
        ("A,B,1,\nB,C,1,\nC,A,1,", "line 4, column 3, component: the bundle holds itself: A → B → C → A"),
        ("A,B,0,", "line 2, column 5, quantity: a component of which none is needed"),
        ("A,B,-1,", "line 2, column 5, quantity: \"-1\" is no quantity"),
        ("A,B,1.5,", "line 2, column 5, quantity: 1.5 is no whole number of sales units"),
        ("A,B,2.,", "line 2, column 5, quantity: \"2.\" is no quantity"),
        ("A,B,1e3,", "line 2, column 5, quantity: \"1e3\" is no quantity"),
        ("A,B,1,crate", "line 2, column 7, unit: no rule says how many sales units \"crate\" holds"),
        ("A,B,1,\nA,B,2,", "line 3, column 3, component: \"B\" is in \"A\" already, by line 2"),
        ("A,,1,", "line 2, column 1, component: no component stands here"),
        ("A,B,,", "line 2, column 1, quantity: no quantity stands here"),
        ("A,B,1000000,case", "line 2, column 5, quantity: 12000000 is no whole number"),
        ("A,B,1000,\nB,C,10000,", "line 3, column 5, quantity: more than 1000000 in one bundle"),
    ] {
        let said = parse(&format!("{head}{rows}\n")).unwrap_err();
        assert!(said.contains(expected), "{rows}: {said}");
    }
    for (text, expected) in [
        ("", "the file is empty"),
        ("bundle,quantity\nA,1\n", "no column component"),
        ("bundle,component,qty,quantity\nA,B,1,1\n", "a second column of quantity"),
        ("bundle,component,quantity\n\"A,B,1\n", "is not closed"),
    ] {
        let said = parse(text).unwrap_err();
        assert!(said.contains(expected), "{text}: {said}");
    }
}

#[test]
fn bundles_nest_only_so_deep_and_share_only_so_much() {
    let nested = |depth: usize| -> String {
        let rows = (0..depth).map(|at| format!("B{at},B{},1\n", at + 1));
        format!("bundle,component,quantity\n{}", rows.collect::<String>())
    };
    assert!(parse(&nested(DEPTH_MAX)).is_ok());
    assert!(parse(&nested(DEPTH_MAX + 1)).unwrap_err().contains("more than 8 deep"));
    let shared = |bundles: usize| -> String {
        let rows = (0..bundles).map(|at| format!("B{at},SCREW,1\n"));
        format!("bundle,component,quantity\n{}", rows.collect::<String>())
    };
    assert_eq!(parse(&shared(FAMILY_MAX - 1)).unwrap().family("SCREW").len(), FAMILY_MAX);
    assert!(parse(&shared(FAMILY_MAX)).unwrap_err().contains("101 SKUs from \"B0\" on share components"));
}
