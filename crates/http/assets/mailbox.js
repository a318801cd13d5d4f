// Lists the mails, shows one, empties the box, and looks for new ones by itself.
// Whatever stands in a mail is only ever text, or HTML inside a sandbox.
"use strict";

const POLL_MILLISECONDS = 3000;
const element = (id) => document.getElementById(id);
let messages = [];
let shown = null;
let isHtml = false;

async function load() {
  const to = element("filter").value.trim();
  const query = to ? `?to=${encodeURIComponent(to)}` : "";
  const answer = await fetch(`/dev/mailbox${query}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  messages = (await answer.json()).messages;
  if (!messages.some((message) => message.id === shown)) shown = messages[0]?.id ?? null;
  render();
}

function render() {
  const list = element("messages");
  const items = messages.map((message) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-current", String(message.id === shown));
    const details = document.createElement("small");
    details.textContent = `${message.to.join(", ")} · ${new Date(message.sent_at).toLocaleString()}`;
    button.append(message.subject, details);
    button.addEventListener("click", () => { shown = message.id; render(); });
    const item = document.createElement("li");
    item.append(button);
    return item;
  });
  // Left alone while nothing changed, so that focus and scrolling stay.
  const signature = JSON.stringify([messages.map((message) => message.id), shown, isHtml]);
  if (list.dataset.signature === signature) return;
  list.dataset.signature = signature;
  list.replaceChildren(...items);
  element("nothing").hidden = messages.length > 0;
  show(messages.find((message) => message.id === shown));
}

function show(message) {
  element("message").hidden = !message;
  if (!message) return;
  element("subject").textContent = message.subject;
  element("envelope").textContent = `From ${message.from} to ${message.to.join(", ")}`;
  element("text").replaceChildren(...linked(message.text));
  element("html").srcdoc = `<base target="_blank">${message.html}`;
  element("text").hidden = isHtml;
  element("html").hidden = !isHtml;
  element("show-text").setAttribute("aria-selected", String(!isHtml));
  element("show-html").setAttribute("aria-selected", String(isHtml));
}

function linked(text) {
  return text.split(/(https?:\/\/\S+)/).map((part, place) => {
    if (place % 2 === 0) return document.createTextNode(part);
    const link = document.createElement("a");
    link.href = part;
    link.textContent = part;
    return link;
  });
}

element("show-text").addEventListener("click", () => { isHtml = false; render(); });
element("show-html").addEventListener("click", () => { isHtml = true; render(); });
element("filter").addEventListener("input", load);
element("empty").addEventListener("click", async () => {
  await fetch("/dev/mailbox", { method: "DELETE" });
  await load();
});
setInterval(() => { if (!document.hidden) load().catch(() => {}); }, POLL_MILLISECONDS);
load().catch(() => {});
