//! Examples of rules 1 to 6: which list, and what of it.

use super::build::{Example, case, gives, list, number};
use super::{company, location};
use crate::model::{Base, Case, For, Moment, RoundTo, TierWay};

/// Rules 1 to 4: which list.
pub(super) fn of_the_source() -> Vec<Example> {
    let base = |percent: &str, id: &str| Some(Base { id: id.to_owned(), percent: number(percent) });
    let everyone = || list("ALL").tiers("A", &[("1", "10")]);
    let chain = |bases: usize| {
        let last = list(&format!("B{bases}")).tiers("A", &[("1", "10")]);
        let between = (1..bases).map(|place| {
            list(&format!("B{place}")).with(|it| it.base = base("0", &format!("B{}", place + 1)))
        });
        let lists: Vec<_> = between.chain([last]).map(|it| it.with(|it| it.whom = vec![company()])).collect();
        lists.into_iter().fold(case("1"), Case::list).list(list("D").with(|it| {
            it.whom = vec![location()];
            it.base = base("10", "B1");
        }))
    };
    vec![
        gives(
            "a contract goes before a list, which is told beside it",
            case("3").list(everyone()).list(list("C").contract(company()).tiers("A", &[("1", "8")])),
            "C contract: 3 × 8 = 24, each 8, list 10",
        ),
        gives(
            "a location goes before its company, whatever the priority",
            case("1")
                .list(list("C").contract(company()).with(|it| it.priority = 9).tiers("A", &[("1", "8")]))
                .list(list("L").contract(location()).tiers("A", &[("1", "9")])),
            "L contract: 1 × 9 = 9, each 9",
        ),
        gives(
            "the higher priority, then the later valid_from, then the id",
            case("1")
                .list(list("A").tiers("A", &[("1", "1")]))
                .list(list("D").with(|it| it.valid.from = Some(Moment::Second(5))).tiers("A", &[("1", "2")]))
                .list(list("C").with(|it| it.valid.from = Some(Moment::Second(5))).tiers("A", &[("1", "3")]))
                .list(
                    list("Z")
                        .with(|it| it.priority = -1)
                        .with(|it| it.valid.from = Some(Moment::Second(9)))
                        .tiers("A", &[("1", "4")]),
                ),
            "C list: 1 × 3 = 3, each 3, list 3",
        ),
        gives(
            "drafts do not count, nor what ended at this very second; what begins at it does",
            case("1")
                .list(list("A").with(|it| it.approved = false).tiers("A", &[("1", "1")]))
                .list(
                    list("B")
                        .with(|it| it.valid.until = Some(Moment::Second(1000)))
                        .tiers("A", &[("1", "2")]),
                )
                .list(
                    list("C")
                        .with(|it| it.valid.from = Some(Moment::Second(1000)))
                        .with(|it| it.priority = -1)
                        .tiers("A", &[("1", "3")]),
                ),
            "C list: 1 × 3 = 3, each 3, list 3",
        ),
        gives("half a piece is no quantity", case("0.5").list(everyone()), "not priced: quantity"),
        gives("nor is nothing", case("0").list(everyone()), "not priced: quantity"),
        gives(
            "a list in another currency is none",
            case("1").list(everyone()).with(|it| it.ask.currency = "USD".to_owned()),
            "not priced: no_price",
        ),
        gives(
            "an SKU is itself with blanks around it and in small letters",
            case("1").list(list("ALL").tiers(" ab ", &[("1", "7")])).with(|it| it.ask.sku = "AB".to_owned()),
            "ALL list: 1 × 7 = 7, each 7, list 7",
        ),
        // 19.99 × 87.5 ÷ 100 = 17.49125, to cents 17.49, × 3 = 52.47; the list itself 19.99.
        gives(
            "a derived list takes off from its base, for whom the base is not",
            case("3").list(list("D").contract(company()).with(|it| it.base = base("-12.5", "B"))).list(
                list("B")
                    .with(|it| it.whom = vec![For::Group("G9".to_owned())])
                    .tiers("A", &[("1", "19.99")]),
            ),
            "D contract: 3 × 17.49 = 52.47, each 17.49",
        ),
        gives(
            "below its own minimum a derived list has no price: the next candidate is asked, not the base",
            case("5")
                .list(
                    list("D")
                        .contract(company())
                        .with(|it| it.base = base("-50", "ALL"))
                        .tiers("A", &[("10", "4")]),
                )
                .list(everyone()),
            "ALL list: 5 × 10 = 50, each 10, list 10",
        ),
        gives("eight bases are asked", chain(8), "D list: 1 × 11 = 11, each 11, list 11"),
        // D has none then, and B1, which is for the company, has: eight bases behind it.
        gives("the ninth is not", chain(9), "B1 list: 1 × 10 = 10, each 10, list 10"),
    ]
}

/// Rules 5 and 6: units and tiers.
pub(super) fn of_units_and_tiers() -> Vec<Example> {
    let cases = |quantity: &str, unit: &str| {
        case(quantity).unit(None, "CS", 12).with(|it| it.ask.unit = unit.to_owned())
    };
    let in_cases = |way| list("ALL").with(|it| it.unit = "CS".to_owned()).with(move |it| it.tiers = way);
    let graduated =
        |tiers: &[(&str, &str)]| list("ALL").with(|it| it.tiers = TierWay::Graduated).tiers("A", tiers);
    vec![
        // 30 ÷ 12 = 2.5 cases; 100 ÷ 12 = 8.33333333, to 6 decimals 8.333333; × 30 = 249.99999, to cents 250.
        gives(
            "pieces of a price per case",
            cases("30", "C62").list(
                in_cases(TierWay::Volume)
                    .with(|it| it.round_to = RoundTo::Exact)
                    .tiers("A", &[("1", "100"), ("3", "90")]),
            ),
            "ALL list: 30 × 8.333333 = 250, each 8.333333, list 8.333333",
        ),
        gives(
            "exactly three cases of pieces reach the tier of three",
            cases("36", "C62").list(in_cases(TierWay::Volume).tiers("A", &[("1", "100"), ("3", "90")])),
            "ALL list: 36 × 7.5 = 270, each 7.5, list 7.5",
        ),
        gives(
            "cases of a price per piece",
            cases("2", "CS").list(list("ALL").tiers("A", &[("1", "1.25"), ("24", "1.2")])),
            "ALL list: 2 × 14.4 = 28.8, each 14.4, list 14.4",
        ),
        gives(
            "what is defined for the SKU goes first",
            cases("2", "CS")
                .unit(Some("a"), "CS", 6)
                .list(list("ALL").tiers("A", &[("1", "1.25"), ("24", "1.2")])),
            "ALL list: 2 × 7.5 = 15, each 7.5, list 7.5",
        ),
        // 7 ÷ 3 = 2.33333333 where it is cut, and 6 ÷ 3 = 2.
        gives(
            "a quantity that has no end is cut at 8 decimals",
            case("7").unit(None, "PK", 3).list(
                list("ALL")
                    .with(|it| it.unit = "PK".to_owned())
                    .tiers("A", &[("1", "9"), ("2.33333333", "6"), ("2.33333334", "3")]),
            ),
            "ALL list: 7 × 2 = 14, each 2, list 2",
        ),
        gives(
            "the window in the asked unit goes first, also where it is too small",
            cases("4", "C62").list(list("ALL").tiers("A", &[("5", "1")]).window("A", "CS", &[("0.1", "6")])),
            "not priced: no_price",
        ),
        // 9 × 10 + 40 × 9 + 11 × 8 = 538, ÷ 60 = 8.96666667.
        gives(
            "graduated as the page has it",
            case("60").list(graduated(&[("1", "10"), ("10", "9"), ("50", "8")])),
            "ALL list: 9 × 10 + 40 × 9 + 11 × 8 = 538, average 8.96666667, list 10",
        ),
        gives(
            "graduated below its first minimum",
            case("4").list(graduated(&[("5", "10"), ("10", "9")])),
            "not priced: no_price",
        ),
        gives(
            "graduated, the units below its first minimum",
            case("12").list(graduated(&[("5", "10"), ("10", "9")])),
            "ALL list: 9 × 10 + 3 × 9 = 117, average 9.75, list 10",
        ),
        // The tenth case begins behind 9 × 12 = 108 pieces; 1080 + 54 = 1134, ÷ 114 = 9.94736842.
        gives(
            "graduated in cases, asked in pieces",
            cases("114", "C62").list(in_cases(TierWay::Graduated).tiers("A", &[("1", "120"), ("10", "108")])),
            "ALL list: 108 × 10 + 6 × 9 = 1134, average 9.94736842, list 10",
        ),
        // 10 × 2 + 0.5 × 1.5 = 20.75, ÷ 10.5 = 1.97619048.
        gives(
            "graduated by weight begins behind its minimum",
            case("10.5").with(|it| it.ask.unit = "KGM".to_owned()).list(
                list("ALL")
                    .with(|it| (it.unit, it.tiers) = ("KGM".to_owned(), TierWay::Graduated))
                    .tiers("A", &[("1", "2"), ("10", "1.5")]),
            ),
            "ALL list: 10 × 2 + 0.5 × 1.5 = 20.75, average 1.97619048, list 2",
        ),
    ]
}
