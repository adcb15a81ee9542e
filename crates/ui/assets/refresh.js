// Keeps a page fresh without a jump: fetches it again and swaps what is marked as live. The page works without it.
"use strict";
(() => {
  const root = document.querySelector("[data-refresh-s]");
  const every = Number(root && root.dataset.refreshS) * 1000;
  if (!every) return;
  const stale = document.getElementById("stale");
  let failed = 0;

  // Whoever fills in a form, has begun to, or has something selected, is not disturbed.
  const begun = (field) => field.value !== field.defaultValue || field.checked !== field.defaultChecked;
  const busy = () => {
    const field = document.activeElement;
    const focused = field && /^(INPUT|TEXTAREA|SELECT)$/.test(field.tagName);
    const writing = focused || [...root.querySelectorAll("input, textarea")].some(begun);
    const selected = window.getSelection();
    return writing || (selected && !selected.isCollapsed);
  };

  const swap = (fresh) => {
    const open = [...root.querySelectorAll("details[open]")].map((details) => details.id);
    const focus = document.activeElement && root.contains(document.activeElement) && document.activeElement.id;
    root.replaceChildren(...fresh.childNodes);
    for (const id of open) {
      const details = id && document.getElementById(id);
      if (details) details.open = true;
    }
    const again = focus && document.getElementById(focus);
    if (again) again.focus({ preventScroll: true });
  };

  const look = async () => {
    if (document.hidden || busy()) return;
    try {
      const answer = await fetch(location.href, { redirect: "manual", cache: "no-store" });
      if (answer.type === "opaqueredirect" || answer.status === 401) return location.reload();
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-refresh-s]");
      if (fresh) {
        swap(fresh);
        document.title = page.title;
      }
      failed = 0;
      stale.hidden = true;
    } catch {
      failed += 1;
      stale.hidden = failed < 2;
    }
  };
  setInterval(look, every);
  document.addEventListener("visibilitychange", look);
})();
