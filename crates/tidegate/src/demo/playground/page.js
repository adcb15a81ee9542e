// Figures once a second, and buttons without leaving the page. Without it the buttons are plain forms.
"use strict";
const show = (id, text) => { document.getElementById(id).textContent = text; };
const many = (count, one, more) => `${count} ${count === 1 ? one : more}`;
const seconds = (ms) => (ms === null ? "–" : `${(ms / 1000).toFixed(ms < 10000 ? 2 : 0)} s`);
const erp = { closed: "well", open: "in trouble: it is left alone", half_open: "tried again with one order", unknown: "unknown" };

function judged(id, count) {
  show(id, count);
  document.getElementById(`box-${id}`).className = count === 0 ? "good" : "bad";
}

function shown(now) {
  if (!now) { return; }
  const ledger = now.ledger;
  judged("lost", ledger ? ledger.lost : 0);
  judged("doubled", Math.max(now.doubled, ledger ? ledger.doubled : 0));
  show("placed", now.placed);
  show("in_books", now.in_books);
  show("on_their_way", now.on_their_way);
  const account = ledger
    ? `Of ${many(ledger.orders, "order", "orders")} each was accounted for at ${ledger.at.slice(11, 19)} UTC`
      + (ledger.holds ? ": nothing lost, nothing doubled, amounts to the cent." : ": THE LEDGER DOES NOT HOLD.")
    : "No account was taken yet.";
  const more = now.placed > (ledger ? ledger.orders : 0) || now.on_their_way > 0;
  show("account", account + (more ? " It is taken again when nothing has been under way for twenty seconds." : ""));
  const wrong = document.getElementById("wrong");
  wrong.hidden = !ledger || ledger.wrong.length === 0;
  wrong.replaceChildren(...(ledger ? ledger.wrong : []).map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  }));
  const work = now.hub.open_work;
  show("hub", now.hub.answers ? (work ? `at work: ${work} open` : "at rest") : "does not answer");
  show("breaker", now.hub.answers ? (erp[now.hub.breaker] || now.hub.breaker) : "–");
  show("oldest", (now.on_their_way ? `${now.oldest_s} s` : "–")
    + (now.unknown_item ? `; ${now.unknown_item} for an item that the ERP does not know` : ""));
  show("lag", `half within ${seconds(now.lag_p50_ms)}, 99 % within ${seconds(now.lag_p99_ms)}`);
  show("person", many(now.hub.dead_letters, "dead letter", "dead letters")
    + (now.poisoned ? `, ${now.poisoned} of them poisoned` : ""));
  show("not_to_be", `${now.not_to_be}: tests, called off before, or not paid`);
  show("webhooks", `${now.webhook_requests}, ${now.webhook_copies} of them copies; ${now.webhooks_never_sent} never sent`);
  show("kills", `${many(now.kills, "time", "times")}, ${many(now.freezes, "time", "times")}`);
  const steady = document.querySelector("button[value=steady]");
  steady.setAttribute("aria-pressed", String(now.steady));
}

async function look() {
  try {
    shown(await (await fetch("/figures")).json());
  } catch {
    show("said", "The demo does not answer: it has ended.");
  }
  setTimeout(look, 1000);
}

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const answer = await fetch(form.action, { method: "POST", headers: { "x-script": "1" } });
    show("said", answer.ok ? `${button.textContent}: done` : `${button.textContent}: ${await answer.text()}`);
  } catch {
    show("said", "The demo does not answer: it has ended.");
  }
  button.disabled = false;
});
look();
