//! A source whose answers the test writes, a store on the disk, and a process that ends between any two steps.

use super::*;
use async_trait::async_trait;
use connector::port::CallContext;
use connector::prices::{RowCount, RowFormat, Settled, ToldList, ToldPrices};
use kernel::clock::{Mono, Now};
use kernel::fault::{Fault, FaultKind};
use price_store::{Guards, Options};
use std::collections::VecDeque;
use std::io::{Seek as _, Write as _};
use std::sync::Mutex;
use tempfile::TempDir;

#[derive(Debug)]
struct At;

impl Clock for At {
    fn now(&self) -> Now {
        Now { wall: "2026-11-26T10:00:00Z".parse().unwrap(), mono: Mono(0) }
    }
}

/// One answer: rows, the point behind it, more; whether it is all.
#[derive(Debug, Clone)]
struct Answer(&'static str, &'static str, bool, bool);

#[derive(Debug, Default)]
struct Scripted {
    answers: Mutex<VecDeque<Result<Option<Answer>, Fault>>>,
    asked: Mutex<Vec<String>>,
    /// Which lists there are, by each answer.
    terms: Mutex<Option<Vec<ToldList>>>,
}

impl Scripted {
    fn answer(&self, what: String) -> Result<Option<ToldPrices>, Fault> {
        self.asked.lock().unwrap().push(what);
        let Some(Answer(rows, next, more, whole)) =
            self.answers.lock().unwrap().pop_front().unwrap_or(Ok(None))?
        else {
            return Ok(None);
        };
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(format!("list,sku,price\n{rows}").as_bytes()).unwrap();
        file.rewind().unwrap();
        Ok(Some(ToldPrices {
            rows: file,
            format: RowFormat::Csv,
            count: RowCount::Known(rows.lines().count() as u64),
            whole,
            lists: Vec::new(),
            next: next.to_owned(),
            more,
            terms: self.terms.lock().unwrap().clone(),
        }))
    }
}

#[async_trait]
impl PriceSource for Scripted {
    async fn changes(&self, _: &CallContext, after: Option<&str>) -> Result<Option<ToldPrices>, Fault> {
        self.answer(format!("after {after:?}"))
    }

    async fn whole(&self, _: &CallContext) -> Result<Option<ToldPrices>, Fault> {
        self.answer("whole".to_owned())
    }

    async fn settled(&self, next: &str, how: Settled<'_>) -> Result<(), Fault> {
        let how = if how == Settled::Live { "live" } else { "refused" };
        self.asked.lock().unwrap().push(format!("{next} {how}"));
        Ok(())
    }

    fn describe(&self) -> String {
        "a script".to_owned()
    }
}

struct World {
    folder: TempDir,
    source: Arc<Scripted>,
    store: Arc<PriceStore>,
    pull: Pull,
}

impl World {
    fn new(mode: PriceMode) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let guards = Guards { few: 0, ..Guards::default() };
        let store = Arc::new(PriceStore::open(&folder.path().join("prices"), Options { guards }).unwrap());
        let source = Arc::new(Scripted::default());
        let pull = pull(&folder, &source, &store, mode);
        Self { folder, source, store, pull }
    }

    fn says(&self, answers: impl IntoIterator<Item = Answer>) {
        self.source.answers.lock().unwrap().extend(answers.into_iter().map(|answer| Ok(Some(answer))));
    }

    async fn run(&self, what: Due) -> Result<Pulled, PullError> {
        let how =
            Pulling { what, from_the_beginning: false, dry_run: false, by: "ada".to_owned(), note: None };
        self.pull.run(&how, Arc::new(|_| {})).await
    }

    /// The outcomes of a run, in a word each.
    async fn outcomes(&self, what: Due) -> Vec<String> {
        match self.run(what).await.unwrap() {
            Pulled::Loaded(all) => all.into_iter().map(|one| one.came.outcome).collect(),
            Pulled::Waits { load } => vec![format!("waits for {load}")],
        }
    }

    fn told(&self) -> PullTold {
        self.pull.told(At.now().wall).unwrap()
    }

    fn cursor(&self) -> Option<String> {
        self.told().cursor
    }

    fn prices(&self) -> Vec<(String, u64)> {
        let version = self.store.current();
        version.lists().map(|(list, prices)| (list.to_owned(), prices)).collect()
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.source.asked.lock().unwrap())
    }
}

fn pull(folder: &TempDir, source: &Arc<Scripted>, store: &Arc<PriceStore>, mode: PriceMode) -> Pull {
    let settings = PullSettings {
        name: "erp".to_owned(),
        source: source.clone(),
        called: ShopId::new("prices").unwrap(),
        time_out: Duration::from_secs(5),
        lists: vec!["ERP-*".to_owned()],
        mode,
        every: Cadence::parse("5m").unwrap(),
        snapshot: None,
        in_order: false,
        kept_in: folder.path().join("prices/sources/erp.json"),
    };
    Pull::new(settings, store.clone(), Arc::new(At))
}

#[tokio::test]
async fn pages_are_loaded_one_after_the_other_and_their_points_are_kept() {
    let world = World::new(PriceMode::Changes);
    world
        .says([Answer("ERP-1,A,5\nERP-1,B,6\n", "1", true, false), Answer("ERP-2,A,4\n", "2", false, false)]);
    assert_eq!(world.outcomes(Due::Usual).await, ["live", "live"]);
    assert_eq!(world.asked(), ["after None", "1 live", "after Some(\"1\")", "2 live"]);
    assert_eq!(world.cursor().as_deref(), Some("2"));
    assert_eq!(world.prices(), [("ERP-1".to_owned(), 2), ("ERP-2".to_owned(), 1)]);
    assert!(world.outcomes(Due::Usual).await.is_empty());
    assert_eq!(world.told().last.unwrap().outcome, "nothing_new");
}

#[tokio::test]
async fn a_list_of_others_is_not_touched_and_the_refused_page_is_said_and_passed() {
    let world = World::new(PriceMode::Changes);
    world.says([
        Answer("ERP-1,A,5\nLIST-EUR,A,6\n", "1", true, false),
        Answer("ERP-1,A,4\n", "2", false, false),
    ]);
    assert_eq!(world.outcomes(Due::Usual).await, ["refused", "live"]);
    assert_eq!(world.asked()[1], "1 refused");
    let told = world.told();
    let refused = told.refused.unwrap();
    assert_eq!(refused.code, "TG-7208");
    assert!(
        refused.message.contains("line 3: list: 'LIST-EUR' is not a list of the source erp"),
        "{refused:?}"
    );
    assert_eq!(world.prices(), [("ERP-1".to_owned(), 1)]);
}

#[tokio::test]
async fn changes_wait_behind_a_load_that_is_held_until_a_person_says_something() {
    let world = World::new(PriceMode::Changes);
    world.says([
        Answer("ERP-1,A,5\n", "1", true, false),
        Answer("ERP-1,A,1\n", "2", true, false),
        Answer("ERP-1,B,9\n", "3", false, false),
    ]);
    assert_eq!(world.outcomes(Due::Usual).await, ["live", "held"]);
    let held = world.told().held;
    assert_eq!(world.cursor().as_deref(), Some("1"));
    world.asked();
    assert_eq!(world.outcomes(Due::Usual).await, [format!("waits for {}", held[0])]);
    assert!(world.asked().is_empty(), "nothing is asked meanwhile");
    world.store.approve(held[0], "ada", "meant", At.now().wall).unwrap();
    assert_eq!(world.outcomes(Due::Usual).await, ["live"]);
    assert_eq!(world.asked(), ["2 live", "after Some(\"2\")", "3 live"]);
    assert!(world.told().held.is_empty());
}

/// What was committed and not kept, is asked for again: the load, or the load that is held.
#[tokio::test]
async fn a_process_that_ended_before_its_point_was_kept_loads_nothing_twice() {
    let world = World::new(PriceMode::Changes);
    let kept = world.folder.path().join("prices/sources/erp.json");
    let pages = [Answer("ERP-1,A,5\n", "1", true, false), Answer("ERP-1,A,1\n", "2", false, false)];
    world.says(pages.clone());
    assert_eq!(world.outcomes(Due::Usual).await, ["live", "held"]);
    let held = world.told().held;
    std::fs::remove_file(&kept).unwrap();
    world.says(pages);
    assert_eq!(world.outcomes(Due::Usual).await, ["unchanged", "held"]);
    assert_eq!(world.told().held, held, "the load that waits is known again");
    assert_eq!(world.store.held().unwrap().len(), 1);
}

/// The database of all nodes was put back, or the folder of prices was: what came since is asked for again.
#[tokio::test]
async fn prices_of_an_earlier_day_are_followed_by_all_that_came_since() {
    let world = World::new(PriceMode::Changes);
    world.says([Answer("ERP-1,A,5\n", "1", true, false), Answer("ERP-1,B,6\n", "2", false, false)]);
    assert_eq!(world.outcomes(Due::Usual).await, ["live", "live"]);
    world.asked();
    let earlier = world.folder.path().join("earlier");
    let earlier = Arc::new(PriceStore::open(&earlier, Options { guards: Guards::default() }).unwrap());
    let pull = pull(&world.folder, &world.source, &earlier, PriceMode::Changes);
    let world = World { store: earlier, pull, ..world };
    world.says([Answer("ERP-1,A,5\nERP-1,B,6\n", "2", false, false)]);
    assert_eq!(world.outcomes(Due::Usual).await, ["live"]);
    assert_eq!(world.asked(), ["after None", "2 live"]);
    assert!(world.outcomes(Due::Usual).await.is_empty());
    assert_eq!(world.asked(), ["after Some(\"2\")"]);
}

#[tokio::test]
async fn a_snapshot_takes_what_is_gone_away_and_leaves_the_lists_of_others() {
    let world = World::new(PriceMode::Changes);
    let others = "list,sku,price\nLIST-EUR,A,9\n";
    let request = price_store::LoadRequest {
        source: "a person".to_owned(),
        by: "ada".to_owned(),
        note: None,
        mode: price_store::Mode::Changes,
        dry_run: false,
    };
    let rows = price_store::read::csv(others.as_bytes(), jiff::tz::TimeZone::UTC);
    world.store.load(request, rows, At.now().wall).unwrap();
    world.says([Answer("ERP-1,A,5\nERP-1,B,5\nERP-2,A,5\n", "7", false, false)]);
    assert_eq!(world.outcomes(Due::Usual).await, ["live"]);
    world.says([Answer("ERP-1,A,5\nERP-1,B,5\n", "8", false, true)]);
    // A list that becomes empty is told always.
    assert_eq!(world.outcomes(Due::Snapshot).await, ["held"]);
    let held = world.told().held[0];
    // Changes go on meanwhile, and the point does not go back behind them.
    world.says([Answer("ERP-1,C,5\n", "9", false, false)]);
    assert_eq!(world.outcomes(Due::Usual).await, ["live"]);
    let again = world.store.approve(held, "ada", "a list less", At.now().wall).unwrap_err();
    assert!(matches!(again, price_store::PriceStoreError::LookAgain(_)), "{again}");
    world.store.approve(held, "ada", "a list less", At.now().wall).unwrap();
    assert!(world.outcomes(Due::Usual).await.is_empty());
    assert_eq!(world.cursor().as_deref(), Some("9"));
    let left: Vec<_> =
        world.prices().into_iter().filter(|(_, prices)| *prices > 0).map(|(list, _)| list).collect();
    assert_eq!(left, ["LIST-EUR", "ERP-1"]);
}

/// What changed until then is not what waits: it would be lost with a snapshot that is rejected.
#[tokio::test]
async fn a_snapshot_that_is_held_is_not_taken_for_the_changes_up_to_the_same_point() {
    let world = World::new(PriceMode::Changes);
    world.says([Answer("ERP-1,A,5\nERP-1,B,5\nERP-2,A,5\n", "7", false, false)]);
    assert_eq!(world.outcomes(Due::Usual).await, ["live"]);
    world.says([Answer("ERP-1,A,5\nERP-1,B,5\n", "8", false, true)]);
    assert_eq!(world.outcomes(Due::Snapshot).await, ["held"]);
    let held = world.told().held;
    world.says([Answer("ERP-1,C,5\n", "8", false, false)]);
    assert_eq!(world.outcomes(Due::Usual).await, ["live"]);
    assert_eq!(world.told().held, held);
    world.store.reject(held[0], "ada", "half of it", At.now().wall).unwrap();
    assert!(world.outcomes(Due::Usual).await.is_empty());
    assert_eq!(world.prices(), [("ERP-1".to_owned(), 3), ("ERP-2".to_owned(), 1)]);
}

/// Nothing of it has a price until all of it comes anew.
#[tokio::test]
async fn a_list_that_is_damaged_is_asked_for_whole_at_once_and_is_whole_again() {
    let world = World::new(PriceMode::Changes);
    // Long enough for a block of its own.
    let rows: &str = (0..300).map(|sku| format!("ERP-1,S-{sku},5\n")).collect::<String>().leak();
    world.says([Answer(rows, "1", false, false)]);
    assert_eq!(world.outcomes(Due::Usual).await, ["live"]);
    assert_eq!(world.pull.due(At.now().wall).unwrap(), None);
    let World { folder, source, store, pull: before } = world;
    drop((before, store));
    let data = folder.path().join("prices/data");
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[40] ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }
    let guards = Guards { few: 0, ..Guards::default() };
    let store = Arc::new(PriceStore::open(&folder.path().join("prices"), Options { guards }).unwrap());
    assert!(store.current().damage().lists.contains("ERP-1"), "{:?}", store.current().damage());
    let pull = pull(&folder, &source, &store, PriceMode::Changes);
    let world = World { folder, source, store, pull };
    assert_eq!(world.pull.due(At.now().wall).unwrap(), Some(Due::Snapshot));
    world.says([Answer(rows, "2", false, true)]);
    assert_eq!(world.outcomes(Due::Snapshot).await, ["live"]);
    assert!(world.store.current().damage().lists.is_empty());
    assert_eq!(world.prices(), [("ERP-1".to_owned(), 300)]);
    assert_eq!(world.pull.due(At.now().wall).unwrap(), None);
}

#[tokio::test]
async fn a_source_writes_no_terms_in_place_of_those_that_are_damaged() {
    let world = World::new(PriceMode::Changes);
    let people = "[[lists]]\nid = \"LIST-EUR\"\nkind = \"list\"\ncurrency = \"EUR\"\nfor = \"everyone\"\n";
    world.store.set_terms(people.as_bytes(), "anna", false, At.now().wall).unwrap();
    let World { folder, source, store, pull: before } = world;
    drop((before, store));
    let data = folder.path().join("prices/data");
    for entry in std::fs::read_dir(&data).unwrap() {
        std::fs::write(entry.unwrap().path(), "half of it").unwrap();
    }
    let store = PriceStore::open(&folder.path().join("prices"), Options { guards: Guards::default() });
    let store = Arc::new(store.unwrap());
    let pull = pull(&folder, &source, &store, PriceMode::Changes);
    let world = World { folder, source, store, pull };
    *world.source.terms.lock().unwrap() = Some(Vec::new());
    world.says([Answer("ERP-1,A,5\n", "1", false, false)]);
    let refused = world.run(Due::Usual).await.unwrap_err().to_string();
    assert!(refused.contains("the terms are damaged"), "{refused}");
    assert!(world.store.current().has_lost_terms(), "what was left of them is written over");
}

#[tokio::test]
async fn a_point_that_jumps_back_is_refused_until_somebody_begins_anew() {
    let world = World::new(PriceMode::All);
    world.says([Answer("ERP-1,A,5\n", "17", false, true)]);
    assert_eq!(world.outcomes(Due::Usual).await, ["live"]);
    world.says([Answer("ERP-1,A,5\n", "16", false, true)]);
    let error = world.run(Due::Usual).await.unwrap_err();
    assert_eq!(error.code(), "TG-3413");
    assert_eq!(
        (world.cursor().as_deref(), world.told().fault.unwrap().code.as_str()),
        (Some("17"), "TG-3413")
    );
    world.says([Answer("ERP-1,A,5\n", "16", false, true)]);
    let how = Pulling {
        what: Due::Usual,
        from_the_beginning: true,
        dry_run: false,
        by: "ada".to_owned(),
        note: Some("restored".to_owned()),
    };
    assert!(
        matches!(world.pull.run(&how, Arc::new(|_| {})).await.unwrap(), Pulled::Loaded(all) if all.len() == 1)
    );
    assert_eq!(world.cursor().as_deref(), Some("16"));
    assert!(world.told().fault.is_none());
}

#[tokio::test]
async fn a_dry_run_changes_neither_prices_nor_the_point_and_a_fault_is_kept() {
    let world = World::new(PriceMode::Changes);
    world.says([Answer("ERP-1,A,5\n", "1", true, false)]);
    let how = Pulling {
        what: Due::Usual,
        from_the_beginning: false,
        dry_run: true,
        by: "ada".to_owned(),
        note: None,
    };
    let Pulled::Loaded(all) = world.pull.run(&how, Arc::new(|_| {})).await.unwrap() else { panic!() };
    assert!(matches!(all[0].outcome, Some(price_store::Outcome::DryRun { .. })));
    assert_eq!((world.cursor(), world.prices().len(), world.told().asked_at), (None, 0, None));
    let down = Fault::new(FaultKind::Transient, "connect", "nobody listens");
    world.source.answers.lock().unwrap().push_back(Err(down));
    world.run(Due::Usual).await.unwrap_err();
    let told = world.told();
    assert_eq!(told.fault.unwrap().code, "connect");
    assert!(told.asked_at.is_some() && !told.due, "it is asked again at its next time");
}

#[tokio::test]
async fn what_a_person_rejects_is_passed_and_its_source_hears_of_it() {
    let world = World::new(PriceMode::Changes);
    world.says([Answer("ERP-1,A,5\n", "1", true, false), Answer("ERP-1,A,1\n", "2", false, false)]);
    assert_eq!(world.outcomes(Due::Usual).await, ["live", "held"]);
    world.asked();
    world.store.reject(world.told().held[0], "ada", "a slip of the pen", At.now().wall).unwrap();
    assert!(world.outcomes(Due::Usual).await.is_empty());
    assert_eq!(world.asked(), ["2 refused", "after Some(\"2\")"]);
}

#[tokio::test]
async fn whose_a_list_is_counts_once_the_prices_do_with_which_it_was_told() {
    let lists = |ids: &[&str]| {
        let list = |id: &&str| ToldList {
            id: (*id).to_owned(),
            name: (*id).to_owned(),
            companies: None,
            currency: "EUR".to_owned(),
            tax_included: false,
        };
        Some(ids.iter().map(list).collect::<Vec<_>>())
    };
    let world = World::new(PriceMode::Changes);
    *world.source.terms.lock().unwrap() = lists(&["ERP-1"]);
    world.says([Answer("ERP-1,A,5\n", "1", false, false)]);
    assert_eq!(world.outcomes(Due::Usual).await, ["live"]);
    *world.source.terms.lock().unwrap() = lists(&["ERP-1", "ERP-2"]);
    world.says([Answer("ERP-1,A,1\nERP-2,B,3\n", "2", false, false)]);
    assert_eq!(world.outcomes(Due::Usual).await, ["held"]);
    assert_eq!(world.store.current().terms().lists().len(), 1);
    world.store.approve(world.told().held[0], "ada", "meant", At.now().wall).unwrap();
    assert!(world.outcomes(Due::Usual).await.is_empty());
    assert_eq!(world.store.current().terms().lists().len(), 2, "a list without terms is nobody's");
}

#[tokio::test]
async fn two_at_a_time_are_refused() {
    let world = World::new(PriceMode::Changes);
    let _one = world.pull.at_work.lock().await;
    let error = world.run(Due::Usual).await.unwrap_err();
    assert_eq!(error.code(), "TG-7216");
}
