//! Which catalogs there are, and what limits them.

use super::{charged, d, dry, eur, list, of, options, paid, plain, run, shop};
use crate::support::call;
use domains::prices::{Place, Wanted};
use kernel::fault::FaultKind;
use tidegate_shopify::prices::{Options, Step, plan};
use twin::shopify::Plan as ShopPlan;

/// Both forms: the dealers' price is lower than the contract's, and the contract's holds all the same.
#[tokio::test]
async fn lists_of_which_the_lowest_would_be_wrong_are_merged_and_come_apart_again() {
    let (twin, client) = shop(0, ShopPlan::Plus).await;
    let lists = |contract: &str| {
        let dealers = of(&[("SKU-0001", plain("8.00")), ("SKU-0002", plain("3.00"))]);
        vec![list("contract", &[1], of(&[("SKU-0001", plain(contract))])), list("dealers", &[1, 2], dealers)]
    };
    let done = run(&client, &lists("9.00"), &options()).await;
    assert_eq!(
        done.plan.merged,
        [(vec!["contract".to_owned(), "dealers".to_owned()], Some("SKU-0001".to_owned()))]
    );
    let both = "tidegate/contract + dealers EUR";
    assert_eq!(charged(&twin, 1, "SKU-0001", 1), paid("9.00", both));
    assert_eq!(charged(&twin, 1, "SKU-0002", 1), paid("3.00", both));
    assert_eq!(charged(&twin, 2, "SKU-0001", 1), paid("8.00", "tidegate/dealers EUR"));
    let done = run(&client, &lists("7.00"), &options()).await;
    assert!(done.plan.steps.iter().any(|step| matches!(step, Step::Delete { name, .. } if name == both)));
    assert_eq!((done.unsettled, done.refused.as_slice()), (0, &[][..]));
    let charge = twin.charged(1, "EUR", "SKU-0001", 1).unwrap();
    assert_eq!((charge.amount, charge.offers.len()), (d("7.00"), 2));
    assert!(dry(&client, &lists("7.00")).await.is_empty());
}

#[tokio::test]
async fn locations_come_and_go_and_one_that_is_not_there_holds_back_no_other() {
    let (twin, client) = shop(0, ShopPlan::Plus).await;
    let for_them = |locations: &[u64]| vec![list("l", locations, of(&[("SKU-0001", plain("7.00"))]))];
    let done = run(&client, &for_them(&[1, 77, 2]), &options()).await;
    let refused: Vec<&str> = done.refused.iter().map(|one| one.code.as_str()).collect();
    assert_eq!((refused, done.unsettled), (vec!["COMPANY_LOCATION_NOT_FOUND"], 0));
    assert_eq!(charged(&twin, 2, "SKU-0001", 1).0, "7.00");
    run(&client, &for_them(&[2, 3]), &options()).await;
    assert_eq!(charged(&twin, 1, "SKU-0001", 1).1, None);
    assert_eq!(charged(&twin, 3, "SKU-0001", 1).0, "7.00");
    // Of what is not all, nothing is taken away.
    let part = Options { is_whole: false, ..options() };
    let other = [list("other", &[1], of(&[("SKU-0001", plain("6.00"))]))];
    let done = run(&client, &other, &part).await;
    assert_eq!(done.plan.left_over, ["tidegate/l EUR"]);
    assert_eq!(
        (charged(&twin, 3, "SKU-0001", 1).0.as_str(), charged(&twin, 1, "SKU-0001", 1).0.as_str()),
        ("7.00", "6.00")
    );
    run(&client, &other, &options()).await;
    assert_eq!(charged(&twin, 3, "SKU-0001", 1).1, None, "all of it: the other list is gone");
    let fault = plan(&client, &call(), &[], &options(), &mut |_| {}).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Rejected, "TG-6421"));
}

#[tokio::test]
async fn more_lists_than_a_location_may_have_are_one_catalog() {
    let (twin, client) = shop(0, ShopPlan::Plus).await;
    let lists = |count: u32| -> Vec<Wanted> {
        let one = |number: u32| {
            list(
                &format!("l{number:02}"),
                &[1],
                of(&[("SKU-0001", plain(&format!("{}.00", 5 + number % 7)))]),
            )
        };
        (0..count).map(one).collect()
    };
    let done = run(&client, &lists(26), &options()).await;
    assert_eq!((done.plan.catalogs.len(), done.unsettled), (1, 0));
    assert_eq!(charged(&twin, 1, "SKU-0001", 1).0, "5.00");
}

/// Below Plus only catalogs of markets count, which a person makes; their prices can be written.
#[tokio::test]
async fn below_plus_the_catalog_is_refused_and_the_price_list_of_a_market_is_written() {
    let (twin, client) = shop(0, ShopPlan::Advanced).await;
    let prices = || of(&[("SKU-0001", plain("7.00"))]);
    let done = run(&client, &[list("l", &[1], prices())], &options()).await;
    let codes: Vec<&str> = done.refused.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(codes, ["UNPERMITTED_ENTITLEMENTS_DIRECT_CATALOG_ASSIGNMENT"]);
    assert_eq!(charged(&twin, 1, "SKU-0001", 1).1, None);
    twin.market_catalog_by_hand("Spain", "EUR", &[1]).unwrap();
    let market = |name: &str| {
        let place = Place::Existing(name.to_owned());
        vec![Wanted {
            id: "l".into(),
            currency: eur(),
            place,
            prices: Box::new(prices()),
            has_quantities: false,
        }]
    };
    let done = run(&client, &market("Spain"), &options()).await;
    assert_eq!((done.refused.as_slice(), done.unsettled), (&[][..], 0));
    assert_eq!(charged(&twin, 1, "SKU-0001", 1), paid("7.00", "Spain"));
    // A company location that the market reaches is charged the lower of the two: that is told.
    let mut both = market("Spain");
    both.push(list("dear", &[1], of(&[("SKU-0001", plain("7.50"))])));
    let told = dry(&client, &both).await;
    let [undercut] = told.undercuts.as_slice() else { panic!("{:?}", told.undercuts) };
    let said = (&*undercut.market, &*undercut.list, undercut.prices, &*undercut.sku);
    assert_eq!(said, ("Spain", "dear", 1, "SKU-0001"));
    assert!(told.to_string().contains("Spain is lower than dear for 1 items, SKU-0001 first"), "{told}");
    let told = dry(&client, &market("Portugal")).await;
    assert!(told.catalogs[0].refused.as_ref().is_some_and(|why| why.contains("no price list of this name")));
    assert_eq!(told.calls(), 0);
}

#[tokio::test]
async fn catalogs_of_others_at_a_location_of_ours_are_told() {
    let (twin, client) = shop(0, ShopPlan::Plus).await;
    let wanted = [list("l", &[1], of(&[("SKU-0001", plain("7.00"))]))];
    run(&client, &wanted, &Options { prefix: "another/".into(), ..options() }).await;
    let told = dry(&client, &wanted).await;
    assert_eq!(told.foreign, [(1, "another/l EUR".to_owned())]);
    assert_eq!(charged(&twin, 1, "SKU-0001", 1).0, "7.00");
}
