// One phone: whose it is, what it shows, and what its owner can do.
import { make, show } from "./bubbles.js";

const when = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai", month: "numeric", day: "numeric",
  hour: "2-digit", minute: "2-digit", hourCycle: "h23",
});
const PAUSE = 300;

function ask(id) {
  const dialog = document.getElementById(id);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(
      dialog.returnValue ? { form: dialog.querySelector("form"), value: dialog.returnValue } : null,
    ), { once: true });
  });
}

export class Phone {
  constructor(element, side, { act, tell, badge }) {
    element.append(document.getElementById("phone-template").content.cloneNode(true));
    Object.assign(this, { element, side, act, tell, badge });
    this.account = document.body.dataset.account;
    this.chats = new Map();
    this.people = [];
    this.find = (selector) => element.querySelector(selector);
    this.chat = this.find(".chat");
    this.words = this.find("textarea");
    this.submit = this.find(".typing [type=submit]");
    this.find("h2").textContent = this.account;
    this.listen();
  }

  listen() {
    this.find(".who").addEventListener("change", (event) => this.open(event.target.value));
    this.find(".elsewhere").addEventListener("click", (event) => this.open(event.currentTarget.value));
    this.words.addEventListener("input", () => this.enable());
    this.words.addEventListener("keydown", (event) => {
      // isComposing: Enter that only ends an input method's word must not send.
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.find(".typing").requestSubmit();
      }
    });
    this.find(".typing").addEventListener("submit", (event) => {
      event.preventDefault();
      this.sendWords();
    });
    this.find("input[type=file]").addEventListener("change", (event) => {
      const [file] = event.target.files;
      if (file) this.do("image", file, file.type || "application/octet-stream");
      event.target.value = "";
    });
    for (const button of this.element.querySelectorAll("[data-do]")) {
      button.addEventListener("click", () => this[button.dataset.do]());
    }
  }

  // People and their chats

  setPeople(people) {
    this.people = people;
    for (const person of people) this.chats.set(person.openid, { bubbles: [], seen: 0, follows: false });
    this.labelPeople();
    if (people.length) this.open(people[0].openid);
  }

  get person() { return this.people.find((person) => person.openid === this.openid); }
  get here() { return this.chats.get(this.openid); }

  open(openid) {
    this.openid = openid;
    this.find(".who").value = openid;
    this.chat.replaceChildren();
    this.drawn = 0;
    this.fold();
    this.draw();
    this.badge();
  }

  labelPeople() {
    const select = this.find(".who");
    if (!select.options.length) {
      for (const person of this.people) {
        const title = person.title ? ` · ${person.title}` : "";
        select.append(make("option", { value: person.openid, textContent: person.name + title }));
      }
    }
    const waiting = this.people.filter((p) => p.openid !== this.openid && this.unread(p.openid));
    const button = this.find(".elsewhere");
    button.hidden = waiting.length === 0;
    if (waiting.length) {
      const [first] = waiting;
      button.value = first.openid;
      button.textContent = waiting.length > 1
        ? `${first.name} 等 ${waiting.length} 人收到新消息,去看看`
        : `${first.name} 收到 ${this.unread(first.openid)} 条新消息,去看看`;
    }
  }

  unread(openid) {
    const { bubbles, seen } = this.chats.get(openid);
    return bubbles.filter((bubble) => bubble.seq > seen && bubble.side === "account").length;
  }

  unreadHere() { return this.openid ? this.unread(this.openid) : 0; }

  unreadElsewhere() {
    return this.people.filter((p) => p.openid !== this.openid)
      .reduce((sum, person) => sum + this.unread(person.openid), 0);
  }

  // Drawing

  update(state) {
    for (const person of this.people) {
      const news = state.phones[person.openid];
      if (!news) continue;
      const chat = this.chats.get(person.openid);
      chat.bubbles.push(...news.bubbles);
      chat.follows = news.follows;
      chat.typing = news.typing;
      // What was there before the page was opened is no news.
      if (!this.filled) chat.seen = chat.bubbles.at(-1)?.seq || 0;
    }
    this.filled = true;
    this.codes = state.codes;
    this.setMenu(state.menu);
    this.draw();
  }

  get visible() { return this.element.offsetParent !== null; }

  shown() {
    this.draw();
    this.chat.scrollTop = this.chat.scrollHeight;
  }

  draw() {
    const chat = this.here;
    if (!chat) return;
    this.drawNew(chat.bubbles);
    if (this.visible && chat.bubbles.length) chat.seen = chat.bubbles.at(-1).seq;
    this.find("h2").textContent = chat.typing ? "对方正在输入…" : this.account;
    this.find(".unfollowed").hidden = chat.follows;
    this.find(".typing").hidden = !chat.follows;
    if (!chat.follows) this.fold();
    this.labelPeople();
  }

  drawNew(bubbles) {
    const fresh = bubbles.filter((bubble) => bubble.seq > this.drawn);
    if (!fresh.length) return;
    const names = { me: this.person.name, account: this.account };
    for (const bubble of fresh) {
      if (!this.drawn || bubble.at - this.drawnAt > PAUSE) {
        this.chat.append(make("p", { className: "when", textContent: when.format(bubble.at * 1000) }));
      }
      this.chat.append(...show(bubble, names, (text, id) => this.do("text", { text, menu_id: id })));
      this.drawn = bubble.seq;
      this.drawnAt = bubble.at;
    }
    this.chat.scrollTop = this.chat.scrollHeight;
  }

  setMenu(buttons) {
    const text = JSON.stringify(buttons);
    if (text === this.menuText) return;
    this.menuText = text;
    this.find("[data-do=menu]").hidden = buttons.length === 0;
    this.find(".menu").replaceChildren(...buttons.map((button) => this.menuButton(button)));
  }

  menuButton(button) {
    const children = button.sub_button || [];
    const top = make("button", { type: "button", textContent: (children.length ? "≡ " : "") + button.name });
    if (!children.length) {
      top.onclick = () => this.press(button);
      return make("div", {}, top);
    }
    const sub = make("div", { className: "sub", hidden: true }, ...children.map((child) => {
      const one = make("button", { type: "button", textContent: child.name });
      one.onclick = () => { sub.hidden = true; this.press(child); };
      return one;
    }));
    top.setAttribute("aria-expanded", "false");
    top.onclick = () => {
      const opening = sub.hidden;
      for (const other of this.element.querySelectorAll(".sub")) other.hidden = true;
      sub.hidden = !opening;
      top.setAttribute("aria-expanded", String(opening));
    };
    return make("div", {}, top, sub);
  }

  // Doing

  enable() { this.submit.disabled = Boolean(this.busy) || !this.words.value.trim(); }

  async do(deed, body, type) {
    if (this.busy) return null;
    this.busy = true;
    this.enable();
    // Shown only when it takes a while: a quick answer should not make the page flicker.
    const slow = setTimeout(() => this.wait(true), 150);
    const answer = await this.act(this.openid, deed, body, type);
    clearTimeout(slow);
    this.busy = false;
    this.wait(false);
    this.enable();
    return answer;
  }

  wait(on) {
    this.find(".sending").hidden = !on;
    this.submit.textContent = on ? "发送中" : "发送";
    for (const button of this.element.querySelectorAll("button:not(.elsewhere)")) button.disabled = on;
  }

  async sendWords() {
    const text = this.words.value.trim();
    if (!text || this.busy) return;
    this.words.value = "";
    const sent = await this.do("text", { text });
    if (!sent && !this.words.value) this.words.value = text;
    this.enable();
    this.words.focus({ preventScroll: true });
  }

  press(button) {
    this.fold();
    if (button.type === "view") {
      window.open(button.url, "_blank", "noopener");
      this.do("view", { url: button.url });
    } else if (button.type === "click") {
      this.do("click", { key: button.key });
    } else {
      this.tell(`演示里没有「${button.name}」这种按钮`);
    }
  }

  toggle(name) {
    const panel = this.find(`.${name}`);
    const opening = panel.hidden;
    this.fold();
    panel.hidden = !opening;
    this.find(".typing").classList.toggle("with-menu", opening && name === "menu");
    this.find(`[data-do=${name}]`).setAttribute("aria-expanded", String(opening));
    if (opening) this.chat.scrollTop = this.chat.scrollHeight;
  }

  fold() {
    this.find(".typing").classList.remove("with-menu");
    for (const sub of this.element.querySelectorAll(".sub")) sub.hidden = true;
    for (const name of ["menu", "more"]) {
      this.find(`.${name}`).hidden = true;
      this.find(`[data-do=${name}]`).setAttribute("aria-expanded", "false");
    }
  }

  menu() { this.toggle("menu"); }
  more() { this.toggle("more"); }
  subscribe() { return this.do("subscribe"); }
  camera() { this.fold(); return this.do("image", "", "application/octet-stream"); }
  album() { this.find("input[type=file]").click(); }

  async unsubscribe() {
    if (!await ask("ask-leave")) return;
    this.fold();
    await this.do("unsubscribe");
  }

  async voice() {
    const answer = await ask("ask-voice");
    if (!answer) return;
    this.fold();
    await this.do("voice", { text: answer.form.elements.text.value.trim() });
    answer.form.reset();
  }

  async location() {
    const { elements } = document.querySelector("#ask-location form");
    const { latitude = 31.2304, longitude = 121.4737, place = "" } = this.person;
    elements.label.value = place;
    elements.latitude.value = latitude;
    elements.longitude.value = longitude;
    if (!await ask("ask-location")) return;
    this.fold();
    await this.do("location", {
      label: elements.label.value.trim(),
      latitude: Number(elements.latitude.value),
      longitude: Number(elements.longitude.value),
    });
  }

  async scan() {
    const box = document.querySelector("#ask-scan .codes");
    box.replaceChildren(...(this.codes || []).map((code) => make("button", { value: code.scene },
      make("img", { src: `code?ticket=${encodeURIComponent(code.ticket)}`, alt: "" }),
      code.label)));
    if (!box.childElementCount) {
      box.append(make("p", { textContent: "还没有二维码。用 tongxin qrcode 生成一个小区的码,这里就能扫。" }));
    }
    const answer = await ask("ask-scan");
    if (!answer) return;
    this.fold();
    await this.do("scan", { scene: answer.value });
  }
}
