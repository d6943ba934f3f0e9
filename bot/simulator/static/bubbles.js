// How each kind of message looks. Text never becomes HTML: links are found and built by hand.
const LINK = /<a\s[^>]*?href=(["'])(.*?)\1[^>]*>(.*?)<\/a>|(https?:\/\/[^\s<>"'),。;!?]+)/gs;

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

function outward(url, ...children) {
  return make("a", { href: url, target: "_blank", rel: "noopener" }, ...children);
}

// `tap(text, menuId)` sends the option's words as the person's own message.
function link(address, words, tap) {
  const url = address.replaceAll("&amp;", "&");
  if (url.startsWith("weixin://bizmsgmenu?")) {
    const query = new URLSearchParams(url.slice(url.indexOf("?") + 1));
    const button = make("button", { type: "button", className: "tap", textContent: words });
    button.onclick = () => tap(query.get("msgmenucontent") || words, query.get("msgmenuid") || "");
    return button;
  }
  return /^https?:\/\//.test(url) ? outward(url, words) : document.createTextNode(words);
}

export function rich(text, tap) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    parts.push(text.slice(from, found.index));
    parts.push(found[4] ? outward(found[4], found[4]) : link(found[2], found[3], tap));
    from = found.index + found[0].length;
  }
  parts.push(text.slice(from));
  return parts;
}

function picture(bubble) {
  const image = make("img", {
    src: `media/${bubble.data.media_id}`, alt: "照片", width: 170, height: 227,
  });
  image.onload = () => { image.removeAttribute("width"); image.removeAttribute("height"); };
  return make("div", { className: "bubble bare" }, image);
}

function place(bubble) {
  const { latitude, longitude } = bubble.data;
  return make("div", { className: "bubble bare" }, make("div", { className: "place" },
    make("strong", { textContent: bubble.text || "位置" }),
    make("small", { textContent: `${latitude}, ${longitude}` }),
    make("div", {}, icon("pin"))));
}

function options(bubble, tap) {
  const box = make("div", { className: "bubble" }, ...rich(bubble.text, tap));
  for (const option of bubble.data.list) {
    const button = make("button", {
      type: "button", className: "option", textContent: option.content,
    });
    button.onclick = () => tap(option.content, option.id);
    box.append(button);
  }
  if (bubble.data.tail) box.append(make("div", { textContent: bubble.data.tail }));
  return box;
}

function content(bubble, tap) {
  switch (bubble.kind) {
    case "image": return picture(bubble);
    case "location": return place(bubble);
    case "msgmenu": return options(bubble, tap);
    case "voice": return make("div", { className: "bubble voice" }, icon("sound"),
      make("span", { textContent: `${bubble.data.seconds || 3}″` }));
    case "text": return make("div", { className: "bubble" },
      ...(bubble.side === "account" ? rich(bubble.text, tap) : [bubble.text]));
    default: return make("div", { className: "bubble", textContent: `[${bubble.kind}] ${bubble.text}` });
  }
}

function template(bubble) {
  const { title, rows, url } = bubble.data;
  const list = make("dl", {}, ...rows.flatMap(([label, value]) => [
    make("dt", { textContent: label }), make("dd", { textContent: value })]));
  const card = make("article", { className: "card" }, make("h3", { textContent: title }), list);
  if (/^https?:\/\//.test(url)) card.append(outward(url, "查看详情"));
  return card;
}

function article(bubble) {
  const { title, description, url } = bubble.data;
  const card = make("article", { className: "card" }, make("h3", { textContent: title }),
    make("p", { textContent: description }));
  if (/^https?:\/\//.test(url)) card.append(outward(url, "阅读全文"));
  return card;
}

// The elements for one bubble: a row with a face, a card, or a line in the middle.
export function show(bubble, names, tap) {
  if (bubble.side === "system") {
    const kind = bubble.kind === "error" ? "note error" : "note";
    return [make("p", { className: kind, textContent: bubble.text })];
  }
  if (bubble.kind === "template") return [template(bubble)];
  if (bubble.kind === "news") return [article(bubble)];
  const name = bubble.side === "me" ? names.me : names.account;
  const face = make("span", { className: "face", textContent: name.slice(0, 1), role: "img" });
  face.setAttribute("aria-label", name);
  const row = make("div", { className: `row ${bubble.side}` }, face, content(bubble, tap));
  if (bubble.kind === "voice" && bubble.text) {
    return [row, make("p", { className: "said", textContent: `识别为:${bubble.text}` })];
  }
  return [row];
}
