//! Files that are all that there is: half of one is none, nor are two in one.

use super::*;

fn whole() -> Defaults {
    Defaults {
        whole: true,
        location: Some("W".to_owned()),
        changed_at: Some(AT.parse().unwrap()),
        ..Defaults::default()
    }
}

fn line(sku: &str, more: &str) -> String {
    format!("{{\"sku\":\"{sku}\",\"on_hand\":1{more}}}\n")
}

fn refused(text: &str) -> (Option<NotWhole>, String) {
    let refused = check(text.as_bytes(), &whole()).unwrap_err();
    (refused.not_whole, refused.to_string())
}

#[test]
fn the_last_line_counts_the_others() {
    let wrapped = "{\"version\":7,\"snapshot\":\"n\",\"data\":{\"sku\":\"A\",\"on_hand\":1}}\n{\"items\":1,\"snapshot\":\"n\",\"next\":\"9\"}";
    for (text, told, versioned) in [
        (format!("{}{}{{\"items\":2}}\n", line("A", ""), line("B", "")), 2, 0),
        (format!("\n{}\n\n{{\"items\":1}}\n\n", line("A", ",\"snapshot\":3")), 1, 0),
        (wrapped.to_owned(), 1, 1),
        ("{\"items\":0}\n".to_owned(), 0, 0),
        // A table has no such line.
        ("sku,on_hand\nA,1\nB,2\n".to_owned(), 2, 0),
    ] {
        // One that names its snapshot is named to its end.
        let text = text.replace("{\"items\":1}", "{\"items\":1,\"snapshot\":3}");
        let counted = check(text.as_bytes(), &whole()).unwrap_or_else(|refused| panic!("{refused}: {text}"));
        assert_eq!((counted.told, counted.versioned), (told, versioned), "{text}");
        let read = read_all(text.as_bytes(), &whole()).unwrap();
        assert_eq!(read.len() as u64, told);
    }
    // Of what changed nothing counts it: there the line is none.
    assert!(check(&b"{\"items\":0}\n"[..], &Defaults { whole: false, ..whole() }).is_err());
}

#[test]
fn half_of_one_and_two_in_one_are_none() {
    let (a, b) = (line("A", ""), line("B", ""));
    let cut = Some(NotWhole::CutOff);
    let mixed = Some(NotWhole::Mixed);
    for (text, not, why) in [
        (format!("{a}{b}"), cut, "line 3, column 1, items: the file ends after 2 lines"),
        (format!("{a}{}", &b[..9]), cut, "line 2, column"),
        (format!("{a}{b}{{\"items\":3}}\n"), None, "line 3, column 1, items: 2 lines came"),
        (format!("{a}{b}{{\"items\":\"2\"}}\n"), None, "says another number"),
        (
            format!("{a}{{\"items\":1}}\n{b}{{\"items\":2}}\n"),
            mixed,
            "line 3, column 1, snapshot: it stands behind",
        ),
        (
            format!("{a}{}{{\"items\":2}}\n", line("B", ",\"snapshot\":8")),
            mixed,
            "line 2, column 1, snapshot: it names the snapshot 8",
        ),
        (
            format!("{}{b}{{\"items\":2}}\n", line("A", ",\"snapshot\":\"7\"")),
            mixed,
            "it names the snapshot none, and the first line \"7\"",
        ),
        (format!("{a}{a}{{\"items\":2}}\n"), None, "line 2, column 1, sku: \"A\" at \"W\" stands in line 1"),
        (format!("{a}{}{{\"items\":2}}\n", b.replace("1}", "-}")), None, "line 2"),
    ] {
        let (found, told) = refused(&text);
        assert_eq!(found, not, "{told}: {text}");
        assert!(told.contains(why), "{why:?} is missing: {told}");
    }
}
