// Ties the two phones, the wire and the time together. One poll a second feeds them all.
import { Phone } from "./phone.js";
import { Wire } from "./wire.js";

const clock = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai", month: "numeric", day: "numeric", weekday: "short",
  hour: "2-digit", minute: "2-digit", hourCycle: "h23",
});
const toast = document.getElementById("toast");
let toastTimer = 0;
let boot = "";
let last = 0;
let polling = null;

export function tell(words) {
  toast.textContent = words;
  toast.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { toast.hidden = true; }, 4000);
}

async function post(path, body, type = "application/json") {
  const response = await fetch(path, { method: "POST", headers: { "Content-Type": type }, body });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error || `模拟平台出错(${response.status})`);
  return answer;
}

async function act(openid, deed, body, type) {
  try {
    const content = type ? body : JSON.stringify(body || {});
    return await post(`phones/${encodeURIComponent(openid)}/${deed}`, content, type);
  } catch (error) {
    tell(error instanceof TypeError ? "连不上模拟平台,请看服务器是否还在运行" : error.message);
    return null;
  } finally {
    await refresh();
  }
}

const wire = new Wire();
const phones = [...document.querySelectorAll(".phone")].map(
  (element) => new Phone(element, element.dataset.side, { act, tell, badge: showBadges }),
);

function showBadges() {
  for (const phone of phones) {
    const tab = document.querySelector(`.tabs [data-tab="${phone.side}"]`);
    const hidden = document.body.dataset.tab !== phone.side;
    const count = phone.unreadElsewhere() + (hidden ? phone.unreadHere() : 0);
    const mark = tab.querySelector("i");
    mark.hidden = count === 0;
    mark.textContent = count;
  }
}

async function refreshNow() {
  const response = await fetch(`state?since=${last}&wire=${wire.last}`);
  if (!response.ok) throw new Error(response.statusText);
  const state = await response.json();
  if (boot && boot !== state.boot) { location.reload(); return; }
  boot = state.boot;
  last = state.last;
  document.getElementById("now").textContent = clock.format(state.now * 1000);
  for (const phone of phones) phone.update(state);
  wire.update(state.wire);
  showBadges();
}

// Two overlapping polls would show the same bubbles twice: the later one waits for its turn.
function refresh() {
  polling = (polling || Promise.resolve()).then(refreshNow).catch(() => {});
  return polling;
}

for (const button of document.querySelectorAll("[data-step]")) {
  button.addEventListener("click", async () => {
    const buttons = document.querySelectorAll("[data-step]");
    const progress = document.getElementById("bar-progress");
    const slow = setTimeout(() => { progress.hidden = false; }, 250);
    buttons.forEach((one) => { one.disabled = true; });
    try {
      await post(`time/${button.dataset.step}`, "{}");
    } catch (error) {
      tell(`时间没走成:${error.message}`);
    }
    clearTimeout(slow);
    progress.hidden = true;
    buttons.forEach((one) => { one.disabled = false; });
    await refresh();
  });
}

const tabs = [...document.querySelectorAll("[role=tab]")];
function openTab(name) {
  document.body.dataset.tab = name;
  for (const tab of tabs) {
    tab.setAttribute("aria-selected", String(tab.dataset.tab === name));
    tab.tabIndex = tab.dataset.tab === name ? 0 : -1;
  }
  phones.find((phone) => phone.side === name).shown();
  showBadges();
}
for (const tab of tabs) {
  tab.addEventListener("click", () => openTab(tab.dataset.tab));
  tab.addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const other = tabs.find((one) => one !== tab);
    openTab(other.dataset.tab);
    other.focus();
  });
}

// Before anything is waited for: a tap on a tab in the meantime must not be undone.
openTab(location.hash === "#staff" ? "staff" : "resident");
const people = await (await fetch("people")).json();
for (const phone of phones) {
  phone.setPeople(people.filter((p) => (p.role === "resident") === (phone.side === "resident")));
}
await refresh();
setInterval(() => { if (!document.hidden) refresh(); }, 1000);
