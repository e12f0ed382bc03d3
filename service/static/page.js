// Keeps the page up to date. Users' data goes in as text (textContent), never as markup.

const POLL_MS = 1000; // with the 1.5 s that the app gives the database: a change is shown within 3 s
const ANSWER_MS = 4000; // an app that takes longer counts as not answering
const WORK_MS = 10000; // the same for requests that do work
const UNDO_MS = 6000;
const TOKEN = "api-token";
const BASE = new URL("..", import.meta.url); // this file is at static/page.js: a proxy may add a path prefix

const $ = (id) => document.getElementById(id);
const list = $("users");
const leaving = new Map(); // id of a user about to be deleted → the timer that will do it

// --- Saying things ---------------------------------------------------------------------------------------------------

function say(text, wrong = false) {
  $("message").textContent = text;
  $("message").classList.toggle("wrong", wrong);
}

function put(id, text) {
  // Screen readers announce every write to a live region, even an identical one.
  if ($(id).textContent.trim() !== text) $(id).textContent = text;
}

function showTotal(total) {
  put("total", String(total));
  put("kept", String(total));
}

// --- Asking the API --------------------------------------------------------------------------------------------------

let token = null;
try {
  token = sessionStorage.getItem(TOKEN); // for this tab only
} catch {
  // The browser stores nothing for this page (blocked cookies, or a sandboxed frame): the token lasts until a reload.
}

function keepToken(given) {
  token = given;
  try {
    sessionStorage.setItem(TOKEN, given);
  } catch {
    // As above.
  }
}

// Returns the response's status and document. Status 0: the app did not answer.
async function ask(method, path, body) {
  const used = token;
  const headers = {};
  if (body) headers["Content-Type"] = "application/json";
  if (used) headers.Authorization = `Bearer ${used}`;
  let response;
  let data = {};
  try {
    const signal = AbortSignal.timeout(WORK_MS);
    response = await fetch(new URL(path, BASE), { method, headers, signal, body: body && JSON.stringify(body) });
    if (response.status !== 204) data = await response.json();
    if (!response.ok && !data?.detail) throw new TypeError("not the app's answer"); // but one of a proxy in between
  } catch {
    return { status: 0, data: { detail: "The app did not answer; try again." } };
  }
  if (response.status === 401 && (await giveToken(used))) return ask(method, path, body);
  return { status: response.status, data };
}

let asking = null; // two refused requests ask the user once

function giveToken(refused) {
  if (token !== refused) return Promise.resolve(true); // another request has got a new one meanwhile
  asking ??= new Promise((resolve) => {
    const dialog = $("token-dialog");
    if (refused) $("token-says").textContent = "That token was not accepted. Changes need the service's API_TOKEN.";
    $("token").value = "";
    dialog.returnValue = "";
    dialog.addEventListener(
      "close",
      () => {
        const given = dialog.returnValue === "use" ? $("token").value.trim() : "";
        if (given) keepToken(given);
        resolve(given !== "");
      },
      { once: true },
    );
    dialog.showModal();
  }).finally(() => {
    asking = null;
  });
  return asking;
}

// --- The users -------------------------------------------------------------------------------------------------------

function makeRow(user) {
  const row = $("row").content.firstElementChild.cloneNode(true);
  row.id = `user-${user.id}`;
  row.querySelector(".name").textContent = user.name;
  row.querySelector(".email").textContent = user.email;
  row.querySelector("time").dateTime = user.created_at;
  row.querySelector("time").textContent = `${user.created_at.slice(0, 16).replace("T", " ")} UTC`;
  label(row);
  return row;
}

// The label names the user: with a screen reader, a list of buttons all called "Delete" is no help.
function label(row) {
  const undo = leaving.has(row.id);
  const button = row.querySelector(".delete");
  button.textContent = undo ? "Undo" : "Delete";
  button.setAttribute("aria-label", undo ? `Undo: keep ${called(row)}` : `Delete ${called(row)}`);
  row.classList.toggle("leaving", undo);
}

const called = (row) => row?.querySelector(".name").textContent || "The user";

function showMore(next) {
  $("more").hidden = next === null;
  $("more").dataset.next = next ?? "";
  if (next) $("more").href = next.replace("/users?", "/?"); // the page accepts the API's query
}

// Returns whether the users could be read.
async function readUsers() {
  const { status, data } = await ask("GET", "users");
  if (status !== 200) {
    say(data.detail, true);
    return false;
  }
  const focused = document.activeElement.closest(".user")?.id;
  list.replaceChildren(...data.users.map(makeRow));
  if (focused) ($(focused)?.querySelector(".delete") ?? $("name")).focus();
  showTotal(data.total);
  showMore(data.next);
  return true;
}

async function loadMore(event) {
  event.preventDefault();
  const { next } = $("more").dataset;
  if (!next) return; // clicked twice
  $("more").dataset.next = "";
  const { status, data } = await ask("GET", next);
  if (status !== 200) {
    showMore(next);
    return say(data.detail, true);
  }
  const rows = data.users.map(makeRow);
  list.append(...rows);
  showTotal(data.total);
  showMore(data.next);
  say(`${rows.length} more users are shown.`);
  if (data.next === null) rows[0]?.querySelector(".delete").focus(); // the link is gone, and the focus with it
}

// --- Adding ----------------------------------------------------------------------------------------------------------

function showErrors(errors) {
  for (const input of $("add").querySelectorAll("input")) {
    const error = errors.find(({ field }) => field === input.name);
    $(`${input.name}-error`).textContent = error?.message ?? "";
    input.setAttribute("aria-invalid", String(error !== undefined));
  }
  $("add").querySelector("[aria-invalid=true]")?.focus();
}

async function add(event) {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("button");
  if (button.disabled) return; // Enter submits the form even while the button is disabled
  button.disabled = true;
  const { status, data } = await ask("POST", "users", Object.fromEntries(new FormData(form))).finally(() => {
    button.disabled = false;
  });
  if (status === 409) showErrors([{ field: "email", message: data.detail }]);
  else showErrors(data.errors ?? []);
  if (status !== 201) return say(status === 409 || status === 422 ? "" : data.detail, true);
  list.prepend(makeRow(data));
  showTotal(Number($("total").textContent) + 1);
  say(`${data.name} is added.`);
  form.reset();
  form.elements.name.focus();
}

// --- Deleting: after a delay, so that undo loses nothing -------------------------------------------------------------

function toggle(event) {
  const row = event.target.closest(".delete")?.closest(".user");
  if (!row) return;
  if (leaving.has(row.id)) {
    clearTimeout(leaving.get(row.id));
    leaving.delete(row.id);
    say(`${called(row)} stays.`);
  } else {
    leaving.set(row.id, setTimeout(remove, UNDO_MS, row.id));
    say(`${called(row)} will be deleted in ${UNDO_MS / 1000} seconds, unless you undo it or leave this page.`);
  }
  label(row);
}

async function remove(id) {
  const name = called($(id));
  const { status, data } = await ask("DELETE", `users/${id.replace("user-", "")}`);
  leaving.delete(id);
  const row = $(id); // perhaps a new row: the list may have been read again
  if (status !== 204 && status !== 404) {
    if (row) label(row);
    return say(`Not deleted. ${data.detail}`, true);
  }
  if (status === 204) showTotal(Number($("total").textContent) - 1);
  say(`${name} is deleted.`);
  if (!row) return;
  const neighbour = row.nextElementSibling ?? row.previousElementSibling;
  if (row.contains(document.activeElement)) (neighbour?.querySelector(".delete") ?? $("name")).focus();
  row.remove();
}

// --- The stack, live ---------------------------------------------------------------------------------------------------

const STATES = {
  up: "MongoDB answers",
  down: "MongoDB does not answer; this page keeps asking",
  recovering: "MongoDB is back; reading the users",
  unknown: "The app does not answer; this page keeps asking",
};

function showState(state) {
  document.body.dataset.database = state;
  put("state", state);
  put("state-says", STATES[state]);
}

let recovery = null;

async function recover() {
  try {
    if ((await readUsers()) && document.body.dataset.database === "recovering") showState("up");
  } finally {
    recovery = null;
  }
}

async function watch() {
  if (!document.hidden) {
    try {
      const response = await fetch(new URL("about", BASE), { signal: AbortSignal.timeout(ANSWER_MS) });
      const answer = await response.json();
      put("hostname", answer.hostname);
      put("version", answer.version);
      put("revision", answer.revision.slice(0, 12)); // of a commit's 40 digits
      if (answer.database === "down") showState("down");
      else if (document.body.dataset.database !== "up") {
        showState("recovering");
        recovery ??= recover(); // may still run at the next poll
      }
    } catch {
      showState("unknown");
    }
  }
  setTimeout(watch, POLL_MS);
}

list.addEventListener("click", toggle);
$("add").addEventListener("submit", add);
$("more").addEventListener("click", loadMore);
for (const row of list.children) label(row);
watch();
