// The drawer of requests: one line each, the whole of it on a tap.
import { make } from "./bubbles.js";

const KEPT = 300;
const clock = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});

function prettyXml(text) {
  const parsed = new DOMParser().parseFromString(text, "application/xml");
  if (parsed.querySelector("parsererror")) return text;
  const lines = [];
  const walk = (node, depth) => {
    const pad = "  ".repeat(depth);
    const children = [...node.children];
    if (!children.length) {
      lines.push(`${pad}<${node.tagName}>${node.textContent.trim()}</${node.tagName}>`);
      return;
    }
    lines.push(`${pad}<${node.tagName}>`);
    for (const child of children) walk(child, depth + 1);
    lines.push(`${pad}</${node.tagName}>`);
  };
  walk(parsed.documentElement, 0);
  return lines.join("\n");
}

function pretty(text) {
  const start = text.trimStart()[0];
  if (start === "<") return prettyXml(text);
  if (start !== "{" && start !== "[") return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function part(title, text) {
  if (!text) return [];
  return [make("h3", { textContent: title }), make("pre", { textContent: pretty(text) })];
}

export class Wire {
  constructor() {
    this.last = 0;
    this.drawer = document.getElementById("wire");
    this.list = document.getElementById("wire-list");
    this.toggle = document.getElementById("wire-toggle");
    this.toggle.addEventListener("click", () => this.open(this.drawer.hidden));
    document.getElementById("wire-close").addEventListener("click", () => this.open(false));
    this.drawer.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.open(false);
    });
  }

  open(on) {
    this.drawer.hidden = !on;
    this.toggle.setAttribute("aria-expanded", String(on));
    (on ? document.getElementById("wire-close") : this.toggle).focus();
  }

  update(records) {
    for (const record of records) {
      this.last = record.seq;
      this.list.querySelector(".empty")?.remove();
      this.list.prepend(this.line(record));
    }
    while (this.list.childElementCount > KEPT) this.list.lastElementChild.remove();
  }

  line(record) {
    const webhook = record.direction === "webhook";
    const what = make("span", { className: "what" },
      make("span", { className: `way ${record.direction}`, textContent: webhook ? "微信→服务器" : "服务器→微信" }),
      `${record.method} ${record.path}`);
    const good = record.status >= 200 && record.status < 300;
    const summary = make("summary", {},
      make("time", { textContent: clock.format(record.at * 1000) }), what,
      make("span", { className: good ? "status" : "status bad", textContent: record.status || "无应答" }),
      make("span", { className: "ms", textContent: `${Math.max(1, Math.round(record.ms))} ms` }));
    if (record.note) summary.append(make("span", { className: "note", textContent: record.note }));
    const body = make("div", { className: "body" });
    const details = make("details", {}, summary, body);
    details.addEventListener("toggle", () => this.fill(body, record.seq), { once: true });
    return details;
  }

  async fill(body, seq) {
    const response = await fetch(`wire/${seq}`);
    if (!response.ok) {
      body.replaceChildren(make("p", { textContent: "这条记录太旧,已经不在了。" }));
      return;
    }
    const record = await response.json();
    body.replaceChildren(
      ...part("网址参数", record.query.replaceAll("&", "\n")),
      ...part(record.request_plain ? "请求(原文)" : "请求", record.request),
      ...part("请求(解密后)", record.request_plain),
      ...part(record.response_plain ? "应答(原文)" : "应答", record.response || "(空)"),
      ...part("应答(解密后)", record.response_plain),
    );
  }
}
