// Filters. All state is in the controls; the page is whole without this.
(() => {
  "use strict";
  const one = (selector) => document.querySelector(selector);
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const items = all(".item").map((element) => ({
    element,
    finding: element.classList.contains("finding"),
    nodes: (element.dataset.nodes || "").split(" "),
    text: null,
  }));
  const groups = all("details.group").map((element) => ({ element, items: all(".item", element) }));
  const nodes = all("a.node");
  const links = all("svg .link");
  const search = one("#search");
  let chosen = null;

  const ticked = (name) => {
    const boxes = all(`input[name="${name}"]`);
    return boxes.length ? new Set(boxes.filter((box) => box.checked).map((box) => box.value)) : null;
  };

  const holds = (item, wanted, words) => {
    const { severity, kind, known } = item.element.dataset;
    if (severity && !wanted.severity.has(severity)) return false;
    if (wanted.kind && !wanted.kind.has(kind)) return false;
    if (known && wanted.known && !wanted.known.has(known)) return false;
    if (chosen && !item.nodes.includes(chosen.dataset.node)) return false;
    if (!words.length) return true;
    item.text ??= item.element.textContent.toLowerCase();
    return words.every((word) => item.text.includes(word));
  };

  const told = (shown, of, noun) => `${shown} of ${of} ${noun}${of === 1 ? "" : "s"}`;

  const filter = () => {
    const wanted = { severity: ticked("severity"), kind: ticked("kind"), known: ticked("known") };
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const counts = { finding: [0, 0], change: [0, 0] };
    for (const item of items) {
      const shown = holds(item, wanted, words);
      item.element.hidden = !shown;
      const count = item.finding ? counts.finding : counts.change;
      count[0] += shown;
      count[1] += 1;
    }
    for (const { element, items } of groups) {
      element.hidden = items.every((item) => item.hidden);
      // Who looks for something wants to see where it was found.
      if (words.length || chosen) element.open = true;
    }
    const parts = [told(...counts.finding, "finding")];
    if (counts.change[1]) parts.push(told(...counts.change, "change"));
    const whose = chosen ? ` of ${chosen.dataset.called}` : "";
    one("#shown").textContent = `Showing ${parts.join(" and ")}${whose}.`;
  };

  const choose = (node) => {
    chosen = node;
    const near = new Set(node ? [node.dataset.node] : []);
    for (const link of links) {
      const touches = node && [link.dataset.from, link.dataset.to].includes(node.dataset.node);
      link.classList.toggle("near", Boolean(touches));
      if (touches) near.add(link.dataset.from).add(link.dataset.to);
    }
    for (const each of nodes) {
      each.setAttribute("aria-pressed", String(each === node));
      each.classList.toggle("near", near.has(each.dataset.node));
    }
    one("#topology svg")?.classList.toggle("choosing", Boolean(node));
    if (one("#chosen")) {
      one("#chosen").hidden = !node;
      one("#chosen-name").textContent = node ? `Only what belongs to ${node.dataset.called}.` : "";
    }
    filter();
  };

  for (const node of nodes) {
    node.setAttribute("role", "button");
    node.addEventListener("click", (event) => {
      event.preventDefault();
      choose(node === chosen ? null : node);
    });
    node.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      choose(node === chosen ? null : node);
    });
  }
  one("#unchoose")?.addEventListener("click", () => {
    const last = chosen;
    choose(null);
    last?.focus();
  });
  one("#reset").addEventListener("click", () => {
    for (const box of all("#filter input[type=checkbox]")) box.checked = true;
    search.value = "";
    choose(null);
  });
  one("#filter").addEventListener("input", filter);

  // On paper everything is unfolded.
  let folded = [];
  window.addEventListener("beforeprint", () => {
    folded = all("details:not([open])");
    for (const each of folded) each.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const each of folded) each.open = false;
  });

  for (const each of all(".needs-script")) each.hidden = false;
  choose(null);
})();
