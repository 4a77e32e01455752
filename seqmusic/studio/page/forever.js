// Forever: segments of eight bars, joined without a gap; at most two are asked for ahead of the music.
import { read } from "./api.js";
import { downloadButtons, engrave, say, showProblem } from "./desk.js";
import { player } from "./player.js";
import { Sheet, make } from "./score.js";
import { keyName, number, t } from "./words.js";

const byId = (id) => document.getElementById(id);
const RUNNING = 50; // segments in the figures
const KEPT = 4; // sheets
const FIGURES = ["parallels", "crossings", "steps", "root_position", "dominant_tonic"];

class Forever {
  seed = 1 + Math.floor(Math.random() * 99999);
  number = 0;
  heard = new Map(); // number -> figures
  waiting = null;

  start() {
    byId("forever-seed").value = this.seed;
    byId("forever-seed").addEventListener("change", () => this.go(Math.max(0, Math.round(Number(byId("forever-seed").value) || 0)), 0));
    byId("forever-another").addEventListener("click", () => this.go(1 + Math.floor(Math.random() * 99999), 0));
    byId("forever-downloads").replaceChildren(...downloadButtons(() => this.now?.data.score));
    player.addEventListener("schedule", () => this.isOn && this.#ahead());
    player.addEventListener("item", () => this.isOn && this.#moved());
  }

  get isOn() {
    return Boolean(player.more) && player.more === this.token;
  }

  async show(seed = this.seed, first = this.number) {
    if (this.now && seed === this.seed && first === this.number) return;
    await this.go(seed, first);
  }

  async go(seed, first) {
    if (this.isOn) player.stop();
    Object.assign(this, { seed, number: first, ahead: [] });
    this.heard.clear();
    byId("forever-seed").value = seed;
    byId("forever-now").textContent = t("forever_composing");
    await this.#display(await this.#segment(first));
  }

  async play() {
    if (!this.now) await this.show();
    if (!this.now) return;
    this.token = { forever: true };
    this.ahead = [];
    await player.play(this.now.sheet, 0, this.token);
  }

  async #segment(n) {
    try {
      const data = await read(`/forever/${this.seed}/${n}`), sheet = new Sheet(make("div"));
      byId("forever-score").append(sheet.element);
      sheet.element.hidden = true;
      const width = byId("forever-score").clientWidth || 900;
      Object.defineProperty(sheet, "width", { value: Math.max(300, Math.round(width / 40) * 40) });
      await engrave(sheet, data.score);
      showProblem(null);
      return { data, sheet, n };
    } catch (error) {
      showProblem(error);
      return null;
    }
  }

  // Composed as long as less than two segments are known beyond the one that sounds
  async #ahead() {
    if (this.waiting || this.ahead.length >= 2 || !this.now) return;
    const seed = this.seed, next = (this.ahead.at(-1)?.n ?? this.now.n) + 1;
    this.waiting = this.#segment(next);
    const found = await this.waiting;
    this.waiting = null;
    if (!found || seed !== this.seed || !this.isOn) return;
    this.ahead.push(found);
    player.append(found.sheet);
  }

  #moved() {
    const index = this.ahead.findIndex(({ sheet }) => sheet === player.current.sheet);
    if (index < 0) return;
    const [found] = this.ahead.splice(0, index + 1).slice(-1);
    this.number = found.n;
    this.#display(found);
    history.replaceState(null, "", `/s/${this.seed}/${found.n}`);
    say(this.heading());
  }

  async #display(found) {
    if (!found) return;
    this.now = found;
    for (const child of [...byId("forever-score").children]) child.hidden = child !== found.sheet.element;
    for (const old of [...byId("forever-score").children].slice(0, -KEPT)) if (old !== found.sheet.element) old.remove();
    this.heard.set(found.n, { ...found.data.figures, copy: found.data.copied_notes });
    for (const n of [...this.heard.keys()].slice(0, -RUNNING)) this.heard.delete(n);
    this.draw();
  }

  heading() {
    const { plans, number: n } = this.now.data;
    return t("forever_now", { n, theme: plans[0].theme, key: keyName(plans[0].key) });
  }

  draw() {
    if (!this.now) return;
    const { data, sheet } = this.now;
    byId("forever-now").textContent = this.heading();
    byId("forever-text").replaceChildren(sheet.textList());
    byId("forever-address").href = `/s/${this.seed}/${data.number}`;
    byId("forever-plan").replaceChildren(...data.plans.map((plan, i) => make("li", { "aria-current": i === 0 ? "true" : null }, make("b", {}, plan.theme), keyName(plan.key), make("br"), make("small", {}, `${i === 0 ? `${t("here")} · ` : ""}${plan.returns === null ? t("new_theme") : t("returns", { n: plan.returns })}`))));
    this.#drawFigures(data.bach);
  }

  #drawFigures(bach) {
    const share = (name) => {
      const [hits, of] = [...this.heard.values()].reduce((sum, one) => [sum[0] + one[name][0], sum[1] + one[name][1]], [0, 0]);
      return of ? hits / of : 0;
    };
    const percent = (value, name) => `${number(100 * value, name === "parallels" ? 2 : 1)} %`;
    const row = (label, here, other) => make("tr", {}, make("th", { scope: "row" }, label), make("td", { class: "number" }, here), make("td", { class: "number" }, other));
    const head = make("tr", {}, make("th", { scope: "col" }, t("fig_name")), make("th", { scope: "col", class: "number" }, t("fig_here", { n: this.heard.size })), make("th", { scope: "col", class: "number" }, t("fig_bach")));
    const longest = Math.max(0, ...[...this.heard.values()].map(({ copy }) => copy));
    byId("forever-figures").replaceChildren(make("thead", {}, head), make("tbody", {}, ...FIGURES.map((name) => row(t(`fig_${name}`), percent(share(name), name), percent(bach[name], name))), row(t("fig_copy"), String(longest), "14")));
  }
}

export const forever = new Forever();
