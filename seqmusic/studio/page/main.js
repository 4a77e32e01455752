// The page: tabs, language, playback, keys. Each tab has a module.
import { read } from "./api.js";
import { desk, showProblem } from "./desk.js";
import { forever } from "./forever.js";
import { judge } from "./judge.js";
import { learn } from "./learn.js";
import { motet } from "./motet.js";
import { player } from "./player.js";
import { recognize } from "./recognize.js";
import { make } from "./score.js";
import { language, setLanguage, t } from "./words.js";

const byId = (id) => document.getElementById(id);
const TABS = ["continue", "harmonize", "recognize", "motet", "judge", "learn", "forever"];
const panelOf = (tab) => (tab === "continue" || tab === "harmonize" ? "desk" : tab);
const LANGUAGE = "seqmusic-studio-language";
let current = "continue";

// Tabs

function drawTabs() {
  const list = document.querySelector("[role=tablist]");
  list.replaceChildren(...TABS.map((tab) => make("button", { type: "button", role: "tab", id: `tab-${tab}`, "aria-selected": String(tab === current), "aria-controls": `panel-${panelOf(tab)}`, tabindex: tab === current ? "0" : "-1", onclick: () => choose(tab) }, t(tab))));
}

function choose(tab, focuses = false) {
  if (panelOf(tab) !== panelOf(current)) player.stop();
  current = tab;
  drawTabs();
  if (focuses) byId(`tab-${tab}`).focus();
  desk.closeCard();
  document.querySelectorAll(".panel").forEach((panel) => { panel.hidden = panel.id !== `panel-${panelOf(tab)}`; });
  byId(`panel-${panelOf(tab)}`).setAttribute("aria-labelledby", `tab-${tab}`);
  document.querySelectorAll(".for-continue").forEach((one) => { one.hidden = tab !== "continue"; });
  document.querySelectorAll(".for-harmonize").forEach((one) => { one.hidden = tab !== "harmonize"; });
  if (panelOf(tab) === "desk") desk.task = tab;
  desk.label();
  if (tab === "forever") forever.show().catch(showProblem);
  byId("transport").hidden = tab === "learn";
  if (tab === "recognize") recognize.recognize();
  const address = tab === "forever" ? `/s/${forever.seed}/${forever.number}` : `/#${tab}`;
  history.replaceState(null, "", address);
  showPlaying();
}

document.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
  const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!move) return;
  event.preventDefault();
  choose(TABS[(TABS.indexOf(current) + move + TABS.length) % TABS.length], true);
});

// Language

function speak(name, isStart = false) {
  localStorage.setItem(LANGUAGE, name);
  setLanguage(name);
  const button = byId("language");
  button.textContent = t("language");
  button.lang = language === "fr" ? "en" : "fr";
  drawTabs();
  drawKeys();
  showPlaying();
  if (isStart) return;
  desk.translate();
  forever.draw();
  learn.draw();
  recognize.draw();
  motet.drawPlan();
  judge.show();
}

// Playback

function togglePlay() {
  if (player.isPlaying) return player.pause();
  if (current === "forever") return forever.play();
  const { current: item, tick } = player, panel = byId(`panel-${panelOf(current)}`);
  const first = { recognize: recognize.sheet, motet: motet.motets[0]?.sheet, judge: judge.sheets[0] }[current] ?? desk.sheet;
  const sheet = item?.sheet && panel.contains(item.sheet.element) ? item.sheet : first;
  const isOver = !item || item.sheet !== sheet || tick >= item.end - 1;
  return sheet.view ? player.play(sheet, isOver ? 0 : tick) : null;
}

function showPlaying() {
  byId("play-shape").setAttribute("d", player.isPlaying ? "M7 5h4v14H7zM14 5h4v14h-4z" : "M8 5v14l11-7z");
  for (const name of ["aria-label", "title"]) byId("play").setAttribute(name, t(player.isPlaying ? "pause" : "play"));
  byId("tempo-value").textContent = player.tempo;
  showWhere();
}

function showWhere() {
  const sheet = player.current?.sheet;
  if (!sheet?.view || !player.items.length) { byId("where").textContent = ""; return; }
  const [bar] = sheet.view.bars[sheet.barOf(player.tick)], [last] = sheet.view.bars.at(-1);
  const text = bar ? t("where", { bar, last }) : t("pickup");
  if (byId("where").textContent !== text) byId("where").textContent = text;
}

player.addEventListener("change", showPlaying);
player.addEventListener("move", showWhere);
byId("play").addEventListener("click", togglePlay);
byId("stop").addEventListener("click", () => player.stop());
byId("instrument").addEventListener("change", () => player.setInstrument(byId("instrument").value));
byId("tempo").addEventListener("input", () => { player.setTempo(Number(byId("tempo").value)); showPlaying(); });

// Keys

const KEYS = [["Space", "k_space"], ["C", "k_c"], ["1 … 6", "k_numbers"], ["Shift 1 … 6", "k_shift_numbers"], ["F", "k_f"], ["Ctrl Z", "k_z"], ["← → ↑ ↓", "k_arrows"], ["Enter", "k_enter"], ["Esc", "k_escape"]];

function drawKeys() {
  byId("keys").replaceChildren(...KEYS.flatMap(([key, name]) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, t(name))]));
}

byId("help-open").addEventListener("click", () => byId("help").showModal());
byId("shortcuts").addEventListener("change", () => localStorage.setItem("seqmusic-studio-shortcuts", String(byId("shortcuts").checked)));
byId("card").addEventListener("keydown", (event) => { if (event.key === "Escape") { desk.closeCard(true); event.stopPropagation(); } });

addEventListener("keydown", (event) => {
  if (current === "judge" && byId("shortcuts").checked && !event.ctrlKey && !event.metaKey && "ab".includes(event.key.toLowerCase())) judge.sheets["ab".indexOf(event.key.toLowerCase())].view && player.play(judge.sheets["ab".indexOf(event.key.toLowerCase())]);
  const isTyping = event.target.matches("input:not([type=range]):not([type=checkbox]), textarea, select"), isDesk = panelOf(current) === "desk";
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !isTyping && isDesk) {
    event.preventDefault();
    desk.act(event.shiftKey ? "redo" : "undo");
  }
  if (event.key === "Escape" && !byId("help").open) { desk.closeCard(true); if (desk.stopSignal) desk.stopComposing(); }
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || byId("help").open || !byId("shortcuts").checked) return;
  const digit = /^(?:Digit|Numpad)([1-6])$/.exec(event.code)?.[1];
  if (event.key === " ") {
    if (event.target.matches("button, summary, a, [role=button], input[type=checkbox]") && !event.target.closest(".sheet")) return;
    togglePlay();
  } else if (isDesk && digit) event.shiftKey ? desk.choose(digit - 1) : desk.playAlternative(digit - 1);
  else if (isDesk && event.key.toLowerCase() === "c") desk.compose();
  else if (isDesk && event.key.toLowerCase() === "f") desk.freeze();
  else return;
  event.preventDefault();
});
document.addEventListener("pointerdown", (event) => { if (!event.target.closest("#card, .sheet")) desk.closeCard(); });

// Start

async function start() {
  const wanted = localStorage.getItem(LANGUAGE) ?? (navigator.language.startsWith("fr") ? "fr" : "en");
  byId("language").addEventListener("click", () => speak(language === "fr" ? "en" : "fr"));
  speak(wanted, true);
  byId("shortcuts").checked = localStorage.getItem("seqmusic-studio-shortcuts") !== "false";
  const options = await read("/options");
  const address = /^\/s\/(\d+)\/(\d+)$/.exec(location.pathname), tab = location.hash.slice(1);
  byId("entry").open = innerWidth > 900;
  byId("panel-desk").hidden = Boolean(address); // before engraving, so that its width is known
  await desk.start(options);
  desk.onDrawn = () => { if (player.current?.sheet === desk.sheet) player.stop(); };
  desk.onFile = () => current === "recognize" && recognize.recognize();
  learn.start(options);
  learn.onUse = (model) => { desk.useModels(desk.options, model); choose("continue"); };
  forever.start();
  recognize.start();
  judge.start();
  motet.start().catch(showProblem);
  if (address) [forever.seed, forever.number] = [Number(address[1]), Number(address[2])];
  choose(address ? "forever" : TABS.includes(tab) ? tab : "continue");
  document.body.dataset.ready = "true";
}

start().catch(showProblem);
