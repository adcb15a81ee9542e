//! One object, whatever happens: the checks that count in the target.

use super::converge::{At, Memory, Walk};
use super::{Bench, Check, Kept, Trouble};
use crate::descriptor::UnknownAnswer;
use crate::port::{Observation, Observed, Plan, Stage, Wanted};
use futures_util::FutureExt;
use kernel::fault::FaultKind;

pub(super) const CHECKS: &[Check] = &[
    ("what is wanted is reached, and a second time nothing is written", |bench| stable(bench).boxed()),
    ("killed between every two steps: one object", |bench| killed(bench).boxed()),
    ("applied and not answered: Ambiguous, then found", |bench| unanswered(bench).boxed()),
    ("a request cut on its way: Ambiguous, then one object", |bench| request_cut(bench).boxed()),
    ("a newer content reaches the same object", |bench| changed(bench).boxed()),
    ("several objects under one key: none is written to", |bench| many(bench).boxed()),
    ("what an object comes to is what the target's books say", |bench| held(bench).boxed()),
    ("a missing reference is named", |bench| missing(bench).boxed()),
    ("references exist or not", |bench| references(bench).boxed()),
    ("a create is planned where nothing was asked", |bench| unasked(bench).boxed()),
];

async fn stable(bench: &Bench<'_>) -> Kept {
    for (offset, memory) in [Memory::Kept, Memory::Recorded].into_iter().enumerate() {
        let wanted = bench.wanted(offset as u32);
        bench.count_is(&wanted, 0, "before").await?;
        let mut walk = Walk::new(bench, wanted.clone());
        let done = walk.finish(memory).await?;
        if walk.applied.is_empty() {
            return Err("done without a step, although the target had nothing".to_owned());
        }
        bench.count_is(&wanted, 1, "when done").await?;
        let mut again = Walk::new(bench, walk.wanted.clone());
        let done_again = again.finish(Memory::Recorded).await?;
        if !again.applied.is_empty() {
            return Err(format!("done, and then {:?} was written again", again.applied));
        }
        if !done_again.unchanged {
            return Err("nothing was written, and done does not say unchanged".to_owned());
        }
        if done_again.external.id != done.external.id {
            return Err(format!("done as {:?}, then as {:?}", done.external, done_again.external));
        }
    }
    Ok(())
}

async fn killed(bench: &Bench<'_>) -> Kept {
    for (offset, memory) in [Memory::Recorded, Memory::Lost].into_iter().enumerate() {
        if memory == Memory::Lost && !resolvable(bench) {
            continue;
        }
        let mut walk = Walk::new(bench, bench.wanted(offset as u32));
        walk.finish(memory).await.map_err(|why| format!("outcome {memory:?}: {why}"))?;
        bench.count_is(&walk.wanted, 1, "when done").await?;
    }
    Ok(())
}

/// Whether an unknown answer can be resolved without a person.
fn resolvable(bench: &Bench<'_>) -> bool {
    bench.connector().descriptor().unknown != UnknownAnswer::Neither
}

async fn unanswered(bench: &Bench<'_>) -> Kept {
    let mut measured = Walk::new(bench, bench.wanted(0));
    measured.finish(Memory::Recorded).await?;
    let mut offset = 1;
    for (number, (_, answer_bytes)) in measured.lengths.iter().enumerate() {
        for trouble in unanswering(number, *answer_bytes) {
            let why = |what: String| format!("{trouble} at step {number}: {what}");
            one_unanswered(bench, offset, number, &trouble).await.map_err(why)?;
            offset += 1;
        }
    }
    Ok(())
}

/// The first step is the one that doubles: it meets everything.
fn unanswering(number: usize, answer_bytes: usize) -> Vec<Trouble> {
    let cut = |after_bytes| Trouble::CutAnswer { after_bytes };
    let mut troubles = vec![cut(0), cut(answer_bytes / 2)];
    if number == 0 {
        troubles.extend([1, 12, answer_bytes * 9 / 10].map(cut));
        troubles.extend([
            Trouble::ApplyAndReset,
            Trouble::ApplyAndHold,
            Trouble::ApplyAndAnswer(b"\x00\x01\x02 this is not HTTP\r\n\r\n".to_vec()),
            Trouble::apply_and_answer("200 OK\r\ncontent-type: text/html", "<html>please log in</html>"),
            Trouble::apply_and_answer("504 Gateway Timeout", "the gateway lost its patience"),
        ]);
    }
    troubles
}

async fn one_unanswered(bench: &Bench<'_>, offset: u32, number: usize, trouble: &Trouble) -> Kept {
    let mut walk = Walk::new(bench, bench.wanted(offset));
    let Some((connector, step, key)) = walk.reach(number).await? else { return Ok(()) };
    let seen = bench.proxy.seen().len();
    bench.proxy.set(trouble.clone());
    let fault = walk.fails(&*connector, &step, &key, *trouble == Trouble::ApplyAndHold).await;
    bench.proxy.settled(seen + 1).await;
    bench.proxy.set(Trouble::Pass);
    let fault = fault?;
    if fault.kind != FaultKind::Ambiguous {
        return Err(format!("{} ended as {fault}, not as ambiguous", step.name));
    }
    if !resolvable(bench) {
        return Ok(());
    }
    walk.settle(&step, &key).await?;
    if let At::Before { step: next, .. } = walk.stand().await?
        && next.name == step.name
    {
        return Err(format!("{} was done, and is planned again", step.name));
    }
    walk.finish(Memory::Recorded).await?;
    bench.count_is(&walk.wanted, 1, "when done").await
}

async fn request_cut(bench: &Bench<'_>) -> Kept {
    let mut measured = Walk::new(bench, bench.wanted(0));
    measured.finish(Memory::Recorded).await?;
    let bytes = measured.lengths.first().map_or(0, |(request_bytes, _)| *request_bytes);
    for (offset, after_bytes) in [0, 1, bytes / 3, bytes * 2 / 3, bytes * 9 / 10].into_iter().enumerate() {
        let mut walk = Walk::new(bench, bench.wanted(offset as u32 + 1));
        let Some((connector, step, key)) = walk.reach(0).await? else { return Ok(()) };
        let seen = bench.proxy.seen().len();
        bench.proxy.set(Trouble::CutRequest { after_bytes });
        let fault = walk.fails(&*connector, &step, &key, false).await;
        bench.proxy.settled(seen + 1).await;
        bench.proxy.set(Trouble::Pass);
        let fault = fault?;
        if fault.kind != FaultKind::Ambiguous {
            return Err(format!("cut after {after_bytes} of {bytes} bytes: {fault}, not ambiguous"));
        }
        if resolvable(bench) {
            walk.settle(&step, &key).await?;
            walk.finish(Memory::Recorded).await?;
            bench.count_is(&walk.wanted, 1, "when done").await?;
        }
    }
    Ok(())
}

async fn changed(bench: &Bench<'_>) -> Kept {
    let mut wanted = bench.wanted(0);
    // A confirmed object need not take a change; one that is only there does, if any.
    wanted.stage = Stage::Present;
    let Some(changed) = bench.fixture.changed(&wanted) else { return Ok(()) };
    let mut walk = Walk::new(bench, wanted);
    walk.finish(Memory::Recorded).await?;
    let known = walk.wanted.known.clone();
    for memory in [Memory::Kept, Memory::Recorded] {
        let newer = Wanted { known: known.clone(), ..changed.clone() };
        let mut walk = Walk::new(bench, newer);
        walk.finish(memory).await?;
        if memory == Memory::Kept && walk.applied.is_empty() {
            return Err("another content was wanted, and nothing was written".to_owned());
        }
        if memory == Memory::Recorded && !walk.applied.is_empty() {
            return Err(format!("the content is there, and {:?} was written again", walk.applied));
        }
        bench.count_is(&walk.wanted, 1, "when changed").await?;
    }
    Ok(())
}

async fn many(bench: &Bench<'_>) -> Kept {
    let mut walk = Walk::new(bench, bench.wanted(0));
    walk.finish(Memory::Recorded).await?;
    if !bench.fixture.duplicate(&walk.wanted).await {
        return Ok(());
    }
    bench.count_is(&walk.wanted, 2, "after a second one was made").await?;
    let connector = bench.connector();
    let observation = connector
        .observe(&bench.call(), &walk.wanted)
        .await
        .map_err(|fault| format!("observe failed: {fault}"))?;
    match &observation.object {
        Observed::Many(ids) if ids.len() == 2 => {}
        other => return Err(format!("observed as {other:?}, not as two")),
    }
    match connector.plan(&walk.wanted, &observation) {
        Plan::Next(step) => Err(format!("{} is planned although there are two", step.name)),
        Plan::Done(_) => Err("two are taken for done".to_owned()),
        Plan::NotAllowed(_) => Ok(()),
    }
}

async fn held(bench: &Bench<'_>) -> Kept {
    let mut wanted = bench.wanted(0);
    // What is confirmed is not changed by hand so easily.
    wanted.stage = Stage::Present;
    let mut walk = Walk::new(bench, wanted);
    walk.finish(Memory::Recorded).await?;
    held_is_the_books(bench, &walk.wanted, "when done").await?;
    if bench.fixture.misprice(&walk.wanted).await {
        held_is_the_books(bench, &walk.wanted, "after somebody changed it").await?;
    }
    Ok(())
}

/// The question that `prove` asks: nothing goes into it but the key and the link.
async fn held_is_the_books(bench: &Bench<'_>, wanted: &Wanted, when: &str) -> Kept {
    let connector = bench.connector();
    let asked = Wanted { body: serde_json::Value::Null, ..wanted.clone() };
    let observation = connector
        .observe(&bench.call(), &asked)
        .await
        .map_err(|fault| format!("{when}: observe failed: {fault}"))?;
    let (held, books) = (connector.held(&observation), bench.fixture.total(wanted).await);
    let lists = connector.descriptor().orders.lists_totals;
    match (lists, held, books) {
        (false, None, _) => Ok(()),
        (false, Some(held), _) => {
            Err(format!("{when}: the descriptor lists no totals, and {} is held", held.gross))
        }
        (true, _, None) => Err("the descriptor lists totals, and the fixture has no books to compare".into()),
        (true, None, Some(books)) => Err(format!("{when}: the books say {books}, and nothing is held")),
        (true, Some(held), Some(_)) if held.void => {
            Err(format!("{when}: nobody cancelled it, and it is void"))
        }
        (true, Some(held), Some(books)) if held.gross == books => Ok(()),
        (true, Some(held), Some(books)) => {
            Err(format!("{when}: the books say {books}, and {} is held", held.gross))
        }
    }
}

async fn missing(bench: &Bench<'_>) -> Kept {
    let Some(wanted) = bench.fixture.with_missing_reference(bench.first) else { return Ok(()) };
    let connector = bench.connector();
    let call = bench.call();
    let observation =
        connector.observe(&call, &wanted).await.map_err(|fault| format!("observe failed: {fault}"))?;
    let fault = match connector.plan(&wanted, &observation) {
        Plan::NotAllowed(fault) => fault,
        Plan::Done(_) => return Err("done with a reference that is missing".to_owned()),
        Plan::Next(step) => {
            let key = bench.call_key(&wanted);
            match connector.apply(&call, &key, &step).await {
                Err(fault) => fault,
                Ok(_) => return Err("the target took a reference that it does not have".to_owned()),
            }
        }
    };
    if fault.kind != FaultKind::Rejected || fault.missing.is_none() || fault.field.is_none() {
        return Err(format!("{fault:?} is not a rejection that names the reference and its field"));
    }
    bench.count_is(&wanted, 0, "after the rejection").await
}

async fn references(bench: &Bench<'_>) -> Kept {
    let connector = bench.connector();
    match (connector.descriptor().resolves_references, bench.fixture.references()) {
        (false, None) => Ok(()),
        (true, None) => Err("the descriptor resolves references, and the fixture has none to try".to_owned()),
        (false, Some(_)) => Err("the fixture has references, and the descriptor resolves none".to_owned()),
        (true, Some((there, absent))) => {
            for (reference, expected) in [(there, true), (absent, false)] {
                match connector.exists(&bench.call(), &reference).await {
                    Ok(exists) if exists == expected => {}
                    other => return Err(format!("{reference} should be {expected}: {other:?}")),
                }
            }
            Ok(())
        }
    }
}

async fn unasked(bench: &Bench<'_>) -> Kept {
    let connector = bench.connector();
    if connector.descriptor().observe_first {
        return Ok(());
    }
    match connector.plan(&bench.wanted(0), &Observation::unasked()) {
        Plan::Next(step) if step.creates => Ok(()),
        other => Err(format!("observe_first is false, and from nothing the plan is {other:?}")),
    }
}
