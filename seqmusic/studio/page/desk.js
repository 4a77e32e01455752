// The desk: the piece, how it is steered, its alternatives; continue, harmonize, compose anew, undo.
import { ApiError, post, read, stream } from "./api.js";
import { player } from "./player.js";
import { Sheet, cellName, make, titleOf } from "./score.js";
import { ThemeEntry } from "./theme.js";
import { errorText, keyName, number, pitchName, t, valueName, voiceName } from "./words.js";

const byId = (id) => document.getElementById(id);
const FORMATS = [["mid", "MIDI"], ["musicxml", "MusicXML"], ["ly", "LilyPond"], ["png", "PNG"]];
const STORE = "seqmusic-studio";
const STEERING = ["bars", "voices", "given", "temperature", "key", "meter", "style", "model", "strict", "scale", "cadence", "seed", "effort"];
const EFFORTS = [1, 8, 16, 48]; // versions of each alternative

export function say(text) {
  byId("news").textContent = text;
}

export function showProblem(error) {
  if (error?.name === "AbortError") return;
  const place = byId("problem");
  place.hidden = !error;
  place.textContent = error ? (error instanceof ApiError ? errorText(error) : String(error)) : "";
}

export async function download(score, format, marks) {
  try {
    const { base64 } = await post("/files/write", { score, format, marks });
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const link = make("a", { href: URL.createObjectURL(new Blob([bytes])), download: `seqmusic.${format}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  } catch (error) {
    showProblem(error);
  }
}

export function downloadButtons(score, marks = () => null) {
  return FORMATS.map(([format, name]) => make("button", { type: "button", class: "quiet", "aria-label": t("download", { format: name }), title: t("download", { format: name }), onclick: () => download(score(), format, marks()) }, name));
}

export async function engrave(sheet, score, given = null) {
  const view = await post("/view", { score, given, width: sheet.width });
  sheet.score = score;
  sheet.given = given;
  sheet.render(view);
  return view;
}

class Desk {
  task = "continue";
  session = null;
  alternatives = [];
  shown = 0; // counts engravings, so that a late answer does not replace a newer one

  async start(options) {
    this.options = options;
    this.sheet = new Sheet(byId("desk-score"), { onNote: (note, part) => this.openCard(note, part), onBar: (bar, event) => this.pickBar(bar, event) });
    this.entry = new ThemeEntry({ onTheme: (text) => this.changeTheme(text) });
    this.#bind();
    this.#fill();
    this.#restoreSteering();
    const kept = JSON.parse(localStorage.getItem(STORE) ?? "null");
    try {
      await this.show(await read(`/sessions/${kept.id}`));
      if (this.session.can_undo) say(t("restored"));
    } catch {
      await this.show(await post("/sessions", kept?.score ? { score: kept.score, given: kept.given } : {}));
      if (kept?.score) say(t("saved_elsewhere"));
    }
  }

  // What the server says about the session

  async show(session) {
    const isNew = JSON.stringify(session.score) !== JSON.stringify(this.session?.score) || !this.sheet.view;
    this.session = session;
    localStorage.setItem(STORE, JSON.stringify({ id: session.id, score: session.score, given: session.given }));
    byId("undo").disabled = !session.can_undo;
    byId("redo").disabled = !session.can_redo;
    this.sheet.frozen = new Set(session.frozen.map(([voice, bar]) => cellName(voice, bar)));
    if (isNew) await this.draw();
    else { this.drawLanes(); this.sheet.drawLayers(); }
    if (!this.alternatives.length) for (const data of session.alternatives) await this.addAlternative(data, false);
  }

  async draw() {
    const mine = (this.shown += 1), { score, given } = this.session;
    this.closeCard();
    this.sheet.element.classList.add("busy");
    const view = await post("/view", { score, given, width: this.sheet.width });
    if (mine !== this.shown) return;
    this.sheet.selected = new Set();
    this.sheet.render(view);
    this.sheet.element.classList.remove("busy");
    byId("desk-title").textContent = titleOf(view);
    byId("desk-text").replaceChildren(this.sheet.textList());
    if (this.typed === undefined) this.entry.setText(view.theme); // what is being typed stays as it is
    this.typed = undefined;
    this.entry.setKey(score.key?.sharps ?? 0);
    const isFour = view.voices.length >= 4;
    byId("voices").disabled = view.voices.length > 1;
    byId("given").disabled = view.voices.length > 1 && !isFour;
    const bars = view.bars.filter(([n]) => n > 0).length;
    if (Number(byId("bars").value) <= bars) { byId("bars").value = Math.min(24, bars + 4); this.steered(); }
    if (score.tempo_bpm) player.tempo = byId("tempo").value = Math.round(Math.min(160, Math.max(40, score.tempo_bpm)));
    this.drawLanes();
    this.drawMixer();
    if (byId("surprise").getAttribute("aria-pressed") === "true") await this.showSurprise();
    this.onDrawn?.();
  }

  async act(verb, data = {}) {
    try {
      showProblem(null);
      await this.show(await post(`/sessions/${this.session.id}/${verb}`, data));
    } catch (error) {
      await this.#recover(error, () => this.act(verb, data));
    }
  }

  // A server that has forgotten the session gets the work back from the page.
  async #recover(error, again) {
    if (error.kind !== "unknownsession") return showProblem(error);
    const { score, given } = this.session;
    this.session = await post("/sessions", { score, given });
    say(t("saved_elsewhere"));
    return again();
  }

  // Themes and files

  async changeTheme(text) {
    const mine = this.themeNumber = (this.themeNumber ?? 0) + 1;
    try {
      const { score } = await post("/theme", { theme: text, key: this.keyOf(), time_signature: byId("meter").value });
      if (mine !== this.themeNumber) return; // there is a newer one
      this.entry.showProblem(null);
      this.typed = text;
      await this.act("piece", { score: { ...score, tempo_bpm: player.tempo } });
      this.clearAlternatives();
    } catch (error) {
      this.entry.showProblem(error, errorText(error));
    }
  }

  keyOf() {
    return byId("key").value;
  }

  async openFile(file) {
    try {
      if (file.size > 5_500_000) throw new ApiError({ kind: "too_large", message: "a file has at most 5 MB here" });
      const bytes = new Uint8Array(await file.arrayBuffer());
      let binary = "";
      for (let i = 0; i < bytes.length; i += 8192) binary += String.fromCharCode(...bytes.subarray(i, i + 8192));
      const { score, report } = await post("/files/read", { name: file.name, base64: btoa(binary) });
      this.clearAlternatives();
      await this.act("piece", { score });
      this.onFile?.();
      say(report.length ? t("repaired", { name: file.name, what: report.join("; ") }) : t("opened", { name: file.name }));
      if (report.length) byId("composing").textContent = t("repaired", { name: file.name, what: report.join("; ") });
    } catch (error) {
      showProblem(error);
    }
  }

  // Composing

  order(more = {}) {
    const value = (id) => byId(id).value, checked = (id) => byId(id).checked;
    const order = { n: 3, temperature: Number(value("temperature")), seed: Math.max(0, Math.round(Number(value("seed")) || 0)), effort: Number(value("effort")), strict: checked("strict"), scale: checked("scale"), cadence: checked("cadence") ? null : false, model: value("model") || "default", style: value("style") };
    const isOne = this.session.score.voices.length === 1;
    if (this.task === "harmonize") return { ...order, task: "harmonize", voices: isOne || this.session.score.voices.length >= 4 ? value("given") : "", ...more };
    return { ...order, task: "continue", bars: Number(value("bars")), voices: isOne ? value("voices") : "", ...more };
  }

  async compose(more = {}) {
    if (this.stopSignal) return this.stopComposing();
    const order = this.order(more), signal = new AbortController();
    this.stopSignal = signal;
    this.clearAlternatives();
    showProblem(null);
    this.#composing(1, order.n);
    const placed = [];
    try {
      await stream(`/sessions/${this.session.id}/compose`, { data: order, signal: signal.signal, on: (name, data) => {
        if (name !== "alternative") return;
        placed.push(this.addAlternative(data, true));
        this.#composing(Math.min(data.index + 2, order.n), order.n);
      } });
      await Promise.all(placed);
      const n = this.alternatives.length;
      this.#composed(n === 1 ? t("composed_one") : t("composed", { n }));
      byId("seed").value = order.seed + order.n;
      if (document.activeElement === byId("compose")) this.alternatives[0]?.card.querySelector("button").focus({ preventScroll: true }); // so that Space plays it
      this.steered();
    } catch (error) {
      this.#composed(error.name === "AbortError" ? t("stopped") : "");
      await this.#recover(error, () => { this.stopSignal = null; return this.compose(more); });
    } finally {
      this.stopSignal = null;
      this.label();
    }
    return null;
  }

  stopComposing() {
    this.stopSignal?.abort();
    post(`/sessions/${this.session.id}/stop`).catch(() => {});
  }

  #composing(i, n) {
    byId("composing").textContent = t("composing", { i, n });
    byId("compose").textContent = t("stop_composing");
  }

  #composed(text) {
    byId("composing").textContent = text;
    say(text);
  }

  label() {
    byId("compose").textContent = this.stopSignal ? t("stop_composing") : t(this.task === "harmonize" ? "compose_harmonize" : "compose_continue");
  }

  // Alternatives

  clearAlternatives() {
    if (this.alternatives.some(({ sheet }) => sheet === player.current?.sheet)) player.stop();
    this.alternatives = [];
    byId("alternatives").replaceChildren();
  }

  async addAlternative(data, isNew) {
    const index = this.alternatives.length, place = make("div"), text = make("div");
    const shape = make("button", { type: "button", class: "round", "aria-label": `${t("play")}: ${t("alternative", { n: index + 1 })}` });
    shape.innerHTML = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M8 5v14l11-7z"/></svg>';
    const card = make("section", { class: `paper alternative${isNew ? " is-new" : ""}`, "aria-label": t("alternative", { n: index + 1 }) },
      make("div", { class: "paper-head" }, make("h2", {}, shape, t("alternative", { n: index + 1 })), make("span", { class: "figure" }, t("bits", { bits: number(data.bits_per_note), seed: data.settings.seed, effort: data.settings.effort })),
        make("div", { class: "downloads" }, make("button", { type: "button", class: "choose", onclick: () => this.choose(index) }, t("choose")), ...downloadButtons(() => data.score))),
      place, make("details", { class: "music-text" }, make("summary", {}, t("as_text")), text));
    byId("alternatives").append(card);
    const sheet = new Sheet(place, { onBar: (bar) => player.play(sheet, sheet.view.bars[bar][1]) });
    const entry = { data, sheet, card };
    this.alternatives.push(entry);
    shape.addEventListener("click", () => (player.isPlaying && player.current?.sheet === sheet ? player.pause() : player.play(sheet)));
    try {
      await engrave(sheet, data.score, data.given);
      text.replaceChildren(sheet.textList());
      if (isNew && index === 0 && card.getBoundingClientRect().top > innerHeight - 160) card.scrollIntoView({ block: "nearest", behavior: "smooth" });
    } catch (error) {
      place.textContent = errorText(error);
    }
  }

  playAlternative(index) {
    const one = this.alternatives[index];
    if (one?.sheet.view) player.play(one.sheet);
  }

  async choose(index) {
    if (!this.alternatives[index]) return;
    player.stop();
    await this.act("choose", { index });
    byId("desk-title").scrollIntoView({ block: "center" });
  }

  // Selection

  pickBar(bar, event) {
    byId("desk-lanes-box").open = true;
    const last = this.lastBar ?? bar, range = event.shiftKey ? [Math.min(last, bar), Math.max(last, bar)] : [bar, bar];
    const cells = [];
    for (let b = range[0]; b <= range[1]; b += 1) this.sheet.view.voices.forEach((_, voice) => cells.push(cellName(voice, b)));
    this.lastBar = bar;
    this.toggle(cells, event.shiftKey);
  }

  toggle(cells, adds = false) {
    const all = cells.every((cell) => this.sheet.selected.has(cell)) && !adds;
    cells.forEach((cell) => (all ? this.sheet.selected.delete(cell) : this.sheet.selected.add(cell)));
    this.sheet.drawLayers();
    this.drawLanes();
    say(t("n_selected", { n: this.sheet.selected.size }));
  }

  drawLanes() {
    const { view, selected, frozen } = this.sheet, focused = document.activeElement?.dataset?.lane;
    if (!view) return;
    const bars = view.bars.map((_, bar) => bar), voices = view.voices.map((_, voice) => voice), numbers = view.bars.map(([n]) => n);
    const grid = make("div", { class: "lanes", role: "group", "aria-label": t("lanes") });
    grid.style.gridTemplateColumns = `max-content repeat(${bars.length}, minmax(30px, 44px))`;
    const button = (lane, label, text, cells, className, pressed) => make("button", { type: "button", class: className, "data-lane": lane, "aria-label": label, "aria-pressed": pressed, tabindex: lane === (focused ?? "0:0") ? "0" : "-1", onclick: () => this.toggle(cells) }, text);
    grid.append(make("span"), ...bars.map((bar) => button(`h:${bar}`, t("all_of_bar", { bar: numbers[bar] }), String(numbers[bar]), voices.map((v) => cellName(v, bar)), "head", null)));
    for (const voice of voices) {
      const name = voiceName(view.voices[voice]);
      grid.append(button(`${voice}:h`, t("all_of_voice", { voice: name }), name, bars.map((bar) => cellName(voice, bar)), "head side", null));
      for (const bar of bars) {
        const cell = cellName(voice, bar), isFrozen = frozen.has(cell);
        grid.append(button(cell, `${t("lane_cell", { voice: name, bar: numbers[bar] })}${isFrozen ? `, ${t("lane_frozen")}` : ""}`, isFrozen ? "❄" : "", [cell], isFrozen ? "frozen" : "", String(selected.has(cell))));
      }
    }
    grid.addEventListener("keydown", (event) => this.#laneKey(event, grid, bars.length + 1));
    byId("desk-lanes").replaceChildren(grid);
    if (focused) grid.querySelector(`[data-lane="${focused}"]`)?.focus();
    const any = selected.size > 0, allFrozen = any && [...selected].every((cell) => frozen.has(cell));
    for (const id of ["recompose", "freeze", "harmonize-selection", "select-none"]) byId(id).disabled = !any;
    byId("freeze").textContent = t(allFrozen ? "thaw" : "freeze");
  }

  #laneKey(event, grid, width) {
    const buttons = [...grid.children], at = buttons.indexOf(event.target), move = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: width, ArrowUp: -width }[event.key];
    const next = buttons[at + move];
    if (!move || next?.tagName !== "BUTTON") return;
    event.preventDefault();
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  cells() {
    return [...this.sheet.selected].map((cell) => cell.split(":").map(Number));
  }

  freeze() {
    if (!this.sheet.selected.size) return;
    const { frozen, selected } = this.sheet, thaws = [...selected].every((cell) => frozen.has(cell));
    const next = new Set(frozen);
    selected.forEach((cell) => (thaws ? next.delete(cell) : next.add(cell)));
    this.act("frozen", { cells: [...next].map((cell) => cell.split(":").map(Number)) });
  }

  harmonizeSelection() {
    const bars = new Set(this.cells().map(([, bar]) => bar)), kept = this.sheet.selected, cells = [];
    for (const bar of bars) this.sheet.view.voices.forEach((_, voice) => { if (!kept.has(cellName(voice, bar))) cells.push([voice, bar]); });
    this.compose({ task: "recompose", cells });
  }

  // Surprise, and the card of a note

  async showSurprise() {
    const button = byId("surprise");
    try {
      const found = await post(`/sessions/${this.session.id}/surprise`, { model: byId("model").value || "default" });
      this.sheet.showSurprise(found.events);
      byId("composing").textContent = t("surprise_hint", { bits: number(found.bits_per_note, 2) });
      say(byId("composing").textContent);
      button.setAttribute("aria-pressed", "true");
    } catch (error) {
      button.setAttribute("aria-pressed", "false");
      showProblem(error);
    }
  }

  toggleSurprise() {
    if (byId("surprise").getAttribute("aria-pressed") !== "true") return this.showSurprise();
    byId("surprise").setAttribute("aria-pressed", "false");
    byId("composing").textContent = "";
    return this.sheet.showSurprise(null);
  }

  openCard(note, part) {
    player.strike(note.pitch);
    const card = byId("card"), button = (text, action) => make("button", { type: "button", onclick: action }, text);
    const change = (values) => this.putIn({ voice: note.voice, onset: note.onset, duration: note.duration, pitch: note.pitch, ...values });
    const content = [make("strong", {}, `${pitchName(note.name)} ${valueName(note.duration)}`), make("p", { class: "hint" }, `${voiceName(this.sheet.view.voices[note.voice])}, ${this.sheet.barLabel(this.sheet.barOf(note.onset))}${note.given ? `, ${t("given")}` : ""}${note.bits === undefined ? "" : `. ${t("note_bits", { bits: number(note.bits), word: "" })}`.replace(/ ?: *$/, "")}`)];
    if (note.alternatives?.length) {
      content.push(make("p", { class: "hint" }, t("instead")));
      for (const [sound, duration, probability, isWritten] of note.alternatives) content.push(this.#choice(note, sound, duration, probability, isWritten));
    }
    content.push(make("div", { class: "row" }, button(t("play_here"), () => { this.closeCard(); player.play(this.sheet, note.onset); }), button(t("go_on"), () => { this.closeCard(); this.compose({ task: "go_on", tick: note.onset + note.duration }); })),
      make("div", { class: "row" }, button(t("higher"), () => change({ pitch: note.pitch + 1 })), button(t("lower"), () => change({ pitch: note.pitch - 1 })), button(t("longer"), () => change({ duration: note.duration + (note.duration >= 48 ? 24 : 12) })), button(t("shorter"), () => change({ duration: Math.max(6, note.duration - (note.duration > 48 ? 24 : note.duration > 12 ? 12 : 6)) })), button(t("close"), () => this.closeCard(true))));
    card.replaceChildren(...content);
    card.hidden = false;
    this.card = { note, part };
    this.sheet.notes.forEach((one) => one.parts.forEach((each) => each.classList.toggle("chosen", one === note)));
    const box = part.getBoundingClientRect(), width = card.offsetWidth, left = Math.min(Math.max(8, box.left + box.width / 2 - width / 2), document.documentElement.clientWidth - width - 8);
    Object.assign(card.style, { left: `${left + scrollX}px`, top: `${box.bottom + scrollY + 14}px` });
    card.querySelector("button").focus();
    card.scrollIntoView({ block: "nearest" });
  }

  #choice(note, sound, duration, probability, isWritten) {
    const bar = make("i"), pitch = pitchOf(sound), name = `${pitchName(sound)}${duration ? ` ${valueName(duration)}` : ""}${isWritten ? ` ✓ ${t("written")}` : ""}`;
    bar.style.width = `${Math.max(2, 60 * probability)}px`;
    return make("button", { type: "button", class: "choice", disabled: isWritten || pitch === null || !duration, onclick: () => this.putIn({ voice: note.voice, onset: note.onset, duration, pitch }) }, make("span", {}, name), bar, make("b", {}, `${number(100 * probability, probability < 0.1 ? 1 : 0)} %`));
  }

  async putIn(values) {
    const { voice, onset } = values;
    await this.act("note", values);
    const note = this.sheet.notes.find((one) => one.voice === voice && one.onset === onset);
    if (note?.parts.length) this.openCard(note, note.parts[0]);
  }

  closeCard(refocus = false) {
    if (byId("card").hidden) return;
    byId("card").hidden = true;
    this.sheet.notes.forEach((one) => one.parts.forEach((each) => each.classList.remove("chosen")));
    if (refocus) this.sheet.focus(this.card.note);
  }

  // Controls

  drawMixer() {
    const voices = this.sheet.view?.voices ?? [];
    byId("mixer").replaceChildren(...voices.map((name, voice) => {
      const label = voiceName(name), id = `volume-${voice}`, volume = player.volumes[voice] ?? 1;
      const slider = make("input", { id, type: "range", min: 0, max: 1, step: 0.05, value: volume, "aria-label": t("volume", { voice: label }) });
      const mute = make("button", { type: "button", "aria-pressed": String(volume === 0), "aria-label": `${t("mute")}: ${label}` }, t("mute"));
      const set = (value) => { player.setVolume(voice, value); slider.value = value; mute.setAttribute("aria-pressed", String(value === 0)); };
      slider.addEventListener("input", () => set(Number(slider.value)));
      mute.addEventListener("click", () => set(Number(slider.value) ? 0 : 1));
      return make("div", { class: "line" }, make("label", { for: id }, label), slider, mute);
    }));
  }

  steered() {
    byId("bars-value").textContent = byId("bars").value;
    byId("temperature-value").textContent = number(byId("temperature").value, 2);
    byId("temperature").setAttribute("aria-valuetext", number(byId("temperature").value, 2));
    this.#drawMeaning();
    const values = Object.fromEntries(STEERING.map((id) => [id, byId(id).type === "checkbox" ? byId(id).checked : byId(id).value]));
    localStorage.setItem(`${STORE}-steering`, JSON.stringify(values));
  }

  #restoreSteering() {
    const kept = JSON.parse(localStorage.getItem(`${STORE}-steering`) ?? "{}");
    for (const id of STEERING) {
      const element = byId(id);
      if (kept[id] === undefined) continue;
      if (element.type === "checkbox") element.checked = kept[id];
      else if (element.tagName !== "SELECT" || [...element.options].some((one) => one.value === kept[id])) element.value = kept[id];
    }
    this.steered();
  }

  #drawMeaning() {
    const { temperatures, bach } = this.options, at = Number(byId("temperature").value);
    const last = temperatures.length - 1, next = Math.min(last, Math.max(1, temperatures.findIndex((one) => one.temperature >= at) === -1 ? last : temperatures.findIndex((one) => one.temperature >= at)));
    const [low, high] = [temperatures[next - 1], temperatures[next]], share = Math.min(1.2, Math.max(-0.6, (at - low.temperature) / (high.temperature - low.temperature)));
    const mixed = (name) => Math.max(0, low[name] + share * (high[name] - low[name]));
    const word = t(at < 0.6 ? "meaning_low" : at < 0.95 ? "meaning_mid" : at < 1.15 ? "meaning_high" : "meaning_wild");
    byId("meaning").textContent = t("meaning", { t: number(at, 2), surprise: number(mixed("surprise")), b_surprise: number(bach.surprise), crossings: number(mixed("crossings")), b_crossings: number(bach.crossings), copy: number(mixed("copy"), 0), b_copy: bach.copy, word });
    const x = (value) => 6 + ((value - 0.2) / 1.2) * 228, y = (value) => 66 - (value / 2.3) * 60;
    const line = temperatures.map((one) => `${x(one.temperature)},${y(one.surprise)}`).join(" ");
    byId("temperature-figure").innerHTML = `<svg viewBox="0 0 240 72"><path d="M6 66H234" stroke="#b9b0a1"/><path d="M6 ${y(bach.surprise)}H234" stroke="#5c564d" stroke-dasharray="4 4"/><text x="234" y="${y(bach.surprise) - 4}" font-size="10.5" text-anchor="end" fill="#5c564d">Bach</text><polyline points="${line}" fill="none" stroke="#22527a" stroke-width="2"/>${temperatures.map((one) => `<circle cx="${x(one.temperature)}" cy="${y(one.surprise)}" r="2.4" fill="#22527a"/>`).join("")}<path d="M${x(at)} 4V66" stroke="#a8361a" stroke-width="1.5"/><circle cx="${x(at)}" cy="${y(mixed("surprise"))}" r="5" fill="#a8361a"/></svg>`;
  }

  #fill() {
    byId("key").replaceChildren(make("option", { value: "" }, t("key_auto")), ...this.options.keys.map((name) => make("option", { value: name }, keyName(name))));
    byId("model").replaceChildren(...this.options.models.map((name) => make("option", { value: name }, name === "default" ? t("model_default") : t("model_learned", { n: name.replace("learned-", "") }))));
    byId("model-row").hidden = this.options.models.length < 2;
    const styles = this.options.styles[byId("model").value] ?? [];
    byId("style").replaceChildren(make("option", { value: "" }, t("style_none")), ...styles.map((name) => make("option", { value: name }, name)));
    byId("style-row").hidden = !styles.length;
    const effort = byId("effort").value || "2";
    byId("effort").replaceChildren(...EFFORTS.map((of, n) => make("option", { value: n }, t(n ? "effort_n" : "effort_0", { n, of }))));
    byId("effort").value = effort;
    byId("file").setAttribute("accept", this.options.readable.join(","));
  }

  useModels(options, chosen) {
    const value = chosen ?? byId("model").value;
    this.options = options;
    this.#fill();
    byId("model").value = value;
    this.#fillStyles();
    this.steered();
  }

  #fillStyles() {
    const styles = this.options.styles[byId("model").value] ?? [];
    byId("style-row").hidden = !styles.length;
    byId("style").replaceChildren(make("option", { value: "" }, t("style_none")), ...styles.map((name) => make("option", { value: name }, name)));
  }

  translate() {
    const { key, model } = { key: byId("key").value, model: byId("model").value };
    this.#fill();
    [byId("key").value, byId("model").value] = [key, model];
    this.entry.draw();
    this.label();
    this.steered();
    if (this.sheet.view) {
      const { view } = this.sheet, { selected } = this.sheet;
      this.sheet.render(view);
      this.sheet.selected = selected;
      byId("desk-title").textContent = titleOf(view);
      byId("desk-text").replaceChildren(this.sheet.textList());
      this.drawLanes();
      this.drawMixer();
      this.sheet.drawLayers();
    }
    const datas = this.alternatives.map(({ data }) => data);
    this.clearAlternatives();
    datas.forEach((data) => this.addAlternative(data, false));
  }

  async #changeSignature() { // key or meter chosen: the theme is read again with them
    if (byId("theme").value.trim()) await this.changeTheme(byId("theme").value);
  }

  #bind() {
    const on = (id, action, kind = "click") => byId(id).addEventListener(kind, action);
    on("compose", () => this.compose());
    on("undo", () => this.act("undo"));
    on("redo", () => this.act("redo"));
    on("surprise", () => this.toggleSurprise());
    on("recompose", () => this.compose({ task: "recompose", cells: this.cells() }));
    on("freeze", () => this.freeze());
    on("harmonize-selection", () => this.harmonizeSelection());
    on("select-none", () => { this.sheet.selected.clear(); this.sheet.drawLayers(); this.drawLanes(); });
    on("file", () => { const [file] = byId("file").files; if (file) this.openFile(file); byId("file").value = ""; }, "change");
    STEERING.forEach((id) => on(id, () => this.steered(), "input"));
    on("model", () => this.#fillStyles(), "change");
    for (const id of ["key", "meter"]) on(id, () => this.#changeSignature(), "change");
    byId("desk-downloads").replaceChildren(...downloadButtons(() => this.session.score));
    addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dropping"); });
    addEventListener("dragleave", (event) => event.relatedTarget ?? document.body.classList.remove("dropping"));
    addEventListener("drop", (event) => { event.preventDefault(); document.body.classList.remove("dropping"); const [file] = event.dataTransfer.files; if (file) this.openFile(file); });
    let timer;
    addEventListener("resize", () => { clearTimeout(timer); timer = setTimeout(() => this.sheet.view && Math.abs(this.sheet.width - (this.drawnWidth ?? 0)) > 60 && this.redraw(), 350); });
    this.drawnWidth = this.sheet.width;
  }

  async redraw() {
    this.drawnWidth = this.sheet.width;
    await this.draw();
    for (const { sheet } of this.alternatives) if (sheet.score) await engrave(sheet, sheet.score, sheet.given);
  }
}

function pitchOf(sound) {
  const match = /^([A-G])(#*|b*)(-?\d+)$/.exec(sound);
  if (!match) return null;
  return 12 * (Number(match[3]) + 1) + { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 }[match[1]] + match[2].length * (match[2][0] === "b" ? -1 : 1);
}

export const desk = new Desk();
