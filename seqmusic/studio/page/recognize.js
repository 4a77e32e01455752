// Recognize: what the piece on the desk, or a dropped file, is, and why; its techniques are drawn on the score.
import { post } from "./api.js";
import { desk, engrave, say, showProblem } from "./desk.js";
import { Sheet, cellName, make } from "./score.js";
import { addWords, inLanguage, number, t, voiceName } from "./words.js";

addWords({
  en: { recognize_title: "What is this?", recognize_text: "The piece on the desk is compared with repertories that were learned; drop a file to ask about another one. Techniques are found by rule.", recognize_do: "Recognize", recognizing: "Listening …", sure: "{answer}: {confidence} % sure.", not_sure: "Not sure; the likeliest is {answer}, with {confidence} %.", unknown: "None of the classes that were learned; the nearest is: {answer}.", no_class: "No recognizer of classes comes with this copy; here are the techniques.", probabilities: "Probabilities", reasons: "Why", speaks_for: "For", speaks_against: "Against", similar: "Most similar works", techniques: "Techniques", no_techniques: "No canon, ground, cantus firmus or isorhythm was found.", show_there: "Show", or: "or", figure: "Figure", weight: "Weight", places: "Where", figures_text: "A figure is a few notes in a row. interval: steps in semitones; rhythm: each length against the one before it, = for as long, 1/2 for half; degree: of the scale." },
  fr: { recognize_title: "Qu’est-ce que c’est ?", recognize_text: "Le morceau du pupitre est comparé à des répertoires appris ; déposez un fichier pour en interroger un autre. Les techniques sont trouvées par des règles.", recognize_do: "Reconnaître", recognizing: "Écoute …", sure: "{answer} : sûr à {confidence} %.", not_sure: "Pas sûr ; {answer} est le plus probable, à {confidence} %.", unknown: "Aucune des classes apprises ; la plus proche est {answer}.", no_class: "Aucun classement n’est inclus dans cette copie ; voici les techniques.", probabilities: "Probabilités", reasons: "Pourquoi", speaks_for: "Pour", speaks_against: "Contre", similar: "Œuvres les plus proches", techniques: "Techniques", no_techniques: "Ni canon, ni basse obstinée, ni cantus firmus, ni isorythmie.", show_there: "Montrer", or: "ou", figure: "Figure", weight: "Poids", places: "Où", figures_text: "Une figure est faite de quelques notes de suite. interval : pas en demi-tons ; rhythm : chaque durée par rapport à la précédente, = pour égale, 1/2 pour la moitié ; degree : degré de la gamme.", class_chorale: "choral", class_fiddle: "air de violon", class_folk: "chant populaire", class_hymn: "cantique", class_mass: "messe", class_quartet: "quatuor" },
});
const byId = (id) => document.getElementById(id);
const className = (name) => (t(`class_${name}`) === `class_${name}` ? name : t(`class_${name}`));
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

class Recognize {
  start() {
    this.sheet = new Sheet(byId("recognize-score"));
    byId("recognize-do").addEventListener("click", () => this.recognize());
  }

  async recognize() {
    const { score } = desk.session, state = byId("recognize-state");
    state.textContent = t("recognizing");
    showProblem(null);
    try {
      const [found] = await Promise.all([post("/recognize", { score }), engrave(this.sheet, score)]);
      this.found = found;
      this.draw();
      say(state.textContent);
    } catch (error) {
      state.textContent = "";
      showProblem(error);
    }
  }

  draw() {
    if (!this.found) return;
    const { found } = this, [likeliest, best] = Object.entries(found.probabilities ?? {})[0] ?? ["", 0];
    const answer = (found.answer ?? []).map(className).join(` ${t("or")} `) || className(likeliest);
    const outcomes = { sure: "sure", "not sure": "not_sure", "none of these": "unknown" };
    const confidence = number(100 * (found.outcome === "sure" ? found.confidence : best), 0);
    byId("recognize-state").textContent = found.outcome ? capital(t(outcomes[found.outcome], { answer, confidence })) : t("no_class");
    byId("recognize-answer").replaceChildren(...(found.outcome ? [this.#probabilities(found), this.#reasons(found), this.#similar(found)] : []), this.#techniques(found.techniques));
  }

  #probabilities({ probabilities }) {
    const rows = Object.entries(probabilities).filter(([, p]) => p >= 0.005).map(([name, p]) => {
      const bar = make("i");
      bar.style.width = `${Math.max(1, 100 * p)}%`;
      return make("tr", {}, make("th", { scope: "row" }, className(name)), make("td", { class: "meter" }, bar), make("td", { class: "number" }, `${number(100 * p, 0)} %`));
    });
    return make("section", {}, make("h2", {}, t("probabilities")), make("table", { class: "wide" }, make("tbody", {}, ...rows)));
  }

  #reasons(found) {
    const rows = [["for", "speaks_for"], ["against", "speaks_against"]].flatMap(([kind, word]) => found[kind].map(({ figure, weight, occurrences }) => {
      const bars = [...new Set(occurrences.filter((one) => one.bars).map((one) => `${voiceName(one.voice)} ${one.bars[0]}`))];
      const cells = occurrences.filter((one) => one.bars);
      return make("tr", {}, make("td", {}, t(word)), make("td", {}, figure), make("td", { class: "number" }, `${weight > 0 ? "+" : ""}${number(weight, 2)}`), make("td", { class: "where-column" }, bars.slice(0, 3).join(", ")), make("td", {}, cells.length ? make("button", { type: "button", onclick: () => this.#show(cells.map((one) => [[one.voice], one.bars])) }, t("show_there")) : ""));
    }));
    const head = make("tr", {}, make("td"), ...["figure", "weight", "places"].map((name) => make("th", { scope: "col", class: { weight: "number", places: "where-column" }[name] }, t(name))), make("td"));
    return make("section", {}, make("h2", {}, t("reasons")), make("p", { class: "hint" }, t("figures_text")), make("table", { class: "wide" }, make("thead", {}, head), make("tbody", {}, ...rows)));
  }

  #similar({ nearest }) {
    return make("section", {}, make("h2", {}, t("similar")), make("ul", {}, ...nearest.map(({ work, similarity }) => make("li", {}, `${work} (${number(similarity, 2)})`))));
  }

  #techniques(techniques) {
    const items = techniques.map(({ sentence, french, voices, bars }) => {
      const show = bars && make("button", { type: "button", onclick: () => this.#show([[voices, bars]]) }, t("show_there"));
      return make("li", {}, inLanguage(sentence, french), " ", show ?? "");
    });
    return make("section", {}, make("h2", {}, t("techniques")), items.length ? make("ul", { class: "plain" }, ...items) : make("p", { class: "hint" }, t("no_techniques")));
  }

  #show(places) { // [[names of voices], [first bar, last bar]]
    const { view } = this.sheet, cells = new Set();
    for (const [voices, [first, last]] of places) {
      view.bars.forEach(([number_], bar) => view.voices.forEach((name, voice) => { if (number_ >= first && number_ <= last && (!voices.length || voices.includes(name))) cells.add(cellName(voice, bar)); }));
    }
    this.sheet.selected = cells;
    this.sheet.drawLayers();
    byId("recognize-score").scrollIntoView({ block: "start" });
  }
}

export const recognize = new Recognize();
