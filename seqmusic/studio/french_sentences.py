"""Sentences of the package as patterns, each with its French; {1} is the first group in French."""

from __future__ import annotations

MOTETS = (
    (r"The melody is the (.*), the only voice\.", "La mélodie est la seule voix ({1})."),
    (
        r"The melody is the (.*), the highest voice that sings\.",
        "La mélodie est la plus haute voix chantée ({1}).",
    ),
    (
        r"The color has its first (\d+) notes, as requested\.",
        "La color a les {1} premières notes, comme demandé.",
    ),
    (
        r"The color has its first (\d+) notes of changing pitch, up to (.*)\.",
        "La color a les {1} premières notes de hauteur changeante, jusqu'à {2}.",
    ),
    (
        r"It does not fall to its final by step, as the cadence needs.*",
        "L'air n'arrive pas à sa finale par degré descendant, comme le veut la cadence : la note "
        "supérieure voisine de la finale est ajoutée avant elle.",
    ),
    (
        r"It is put into the compass of a tenor, which it leaves by (\d+) semitones: (.*)\.",
        "Elle est placée dans l'ambitus du ténor, dont elle sort de {1} demi-tons : {2}.",
    ),
    (
        r"It is put into the compass of a tenor: (.*)\.",
        "Elle est placée dans l'ambitus du ténor : {1}.",
    ),
    (
        r"The talea is (.*) \((.*)\): (\d+) notes in (\S+) units of (.*)\.",
        "La talea est {1} ({2}) : {3} notes en {4} unités d'une {5}.",
    ),
    (
        r"A color of (\d+) notes is one talea, so they end together\.",
        "Une color de {1} notes fait une talea : elles finissent ensemble.",
    ),
    (
        r"A color of (\d+) notes is (\d+) taleae, so they end together\.",
        "Une color de {1} notes fait {2} taleae : elles finissent ensemble.",
    ),
    (
        r"A color of (\d+) notes is no whole number of taleae: color and talea meet again after "
        r"(\d+) notes, (\d+) colores and (\d+) taleae\.",
        "Une color de {1} notes ne fait pas un nombre entier de taleae : color et talea se "
        "retrouvent après {2} notes, {3} colores et {4} taleae.",
    ),
    (
        r"The tenor sings the color (.*) over (\d+) taleae, (\d+) notes in (\S+) quarters, in "
        r"(.*)\.",
        "Le ténor chante la color {1} sur {2} taleae, {3} notes en {4} noires, en {5}.",
    ),
    (
        r"The values stand in the proportion (.*): diminution\.",
        "Les valeurs sont dans la proportion {1} : diminution.",
    ),
    (
        r"The upper voices begin alone, with an introitus of (\d+) bars\.",
        "Les voix supérieures commencent seules, par un introitus de {1} mesures.",
    ),
    (
        r"The contratenor has a talea of its own, as long as the tenor's: (.*)\. Its pitches are "
        r"composed first\.",
        "Le contraténor a sa propre talea, aussi longue que celle du ténor : {1}. Ses hauteurs "
        "sont composées d'abord.",
    ),
    (
        r"Triplum and motetus alternate in hocket in (\d+) of (\d+) taleae\.",
        "Triplum et motetus alternent en hoquet dans {1} taleae sur {2}.",
    ),
    (
        r"The upper voices repeat the rhythm of the first talea in all others: panisorhythm\.",
        "Les voix supérieures répètent dans toutes les taleae le rythme de la première : "
        "panisorythmie.",
    ),
    (
        r"There are no words: two texts.*",
        "Il n'y a pas de paroles : deux textes reviendraient aux voix supérieures, qui vocalisent.",
    ),
    (
        r"The color of (\d+) notes is complete and untransposed in all statements\.",
        "La color de {1} notes est entière et non transposée à chaque fois.",
    ),
    (r"A statement of the color differs from the first\.", "Une color diffère de la première."),
    (r"It is the tune, note by note\.", "C'est l'air, note pour note."),
    (
        r"It is the tune, with the upper neighbor of the final added before it\.",
        "C'est l'air, avec la note supérieure voisine ajoutée avant la finale.",
    ),
    (
        r"All (\d+) taleae are equal, in their rests, too; the final is lengthened\.",
        "Les {1} taleae sont égales, silences compris ; la finale est allongée.",
    ),
    (r"Of (\d+) taleae these differ: (.*)\.", "Sur {1} taleae, celles-ci diffèrent : {2}."),
    (
        r"The colores stand in the proportion (.*), exactly\.",
        "Les colores sont exactement dans la proportion {1}.",
    ),
    (
        r"The contratenor keeps a talea of its own: (.*)\.",
        "Le contraténor garde sa propre talea : {1}.",
    ),
    (
        r"To one note of the tenor there are (\S+) of the triplum and (\S+) of the motetus\.",
        "Pour une note du ténor il y en a {1} du triplum et {2} du motetus.",
    ),
    (
        r"Each talea begins and ends with perfect sonorities above the tenor\.",
        "Chaque talea commence et finit par des consonances parfaites au-dessus du ténor.",
    ),
    (
        r"At (\d+) first or last notes of a talea a sonority is not perfect\.",
        "À {1} premières ou dernières notes d'une talea, une consonance n'est pas parfaite.",
    ),
    (
        r"Above the tenor at its onsets: (\S+) perfect, (\S+) imperfect, (\S+) fourth, (\S+) "
        r"dissonant \(ten motets: (.*)\)\.",
        "Au-dessus du ténor, à ses attaques : consonances parfaites {1}, imparfaites {2}, quartes "
        "{3}, dissonances {4} (dix motets : {5}).",
    ),
    (
        r"In all (\d+) cadences one voice rises to the octave and one to the fifth\.",
        "Dans les {1} cadences, une voix monte à l'octave et une à la quinte.",
    ),
    (
        r"Of (\d+) cadences (\d+) lack a leading tone\.",
        "Sur {1} cadences, {2} n'ont pas de sensible.",
    ),
    (r"The last sonority is (.*)\.", "Le dernier accord est {1}."),
    (
        r"No voice makes two equal perfect consonances in succession with the tenor\.",
        "Aucune voix ne fait avec le ténor deux consonances parfaites égales de suite.",
    ),
    (
        r"(\d+) times a voice makes equal perfect consonances with the tenor\.",
        "{1} fois, une voix fait avec le ténor des consonances parfaites égales de suite.",
    ),
    (
        r"All voices keep the compass of the ten motets\.",
        "Toutes les voix gardent l'ambitus des dix motets.",
    ),
    (
        r"Outside the compass of the ten motets: (.*)\.",
        "Hors de l'ambitus des dix motets : {1}.",
    ),
    (
        r"The upper voices alternate in (\d+) of (\d+) taleae\.",
        "Les voix supérieures alternent dans {1} taleae sur {2}.",
    ),
    (
        r"The upper voices repeat the rhythm of the first talea in all others\.",
        "Les voix supérieures répètent partout le rythme de la première talea.",
    ),
    (
        r"In (\d+) steps an upper voice has another rhythm than in the first talea\.",
        "À {1} endroits une voix supérieure a un autre rythme que dans la première talea.",
    ),
    (
        r"The detector finds too little repetition in the tenor.*",
        "Le détecteur trouve trop peu de répétitions au ténor pour le dire isorythmique.",
    ),
    (
        r"The detector finds (\S+) colores of (\d+) notes and (\S+) taleae in the tenor, with the "
        r"speeds (.*?)(?:; it also finds taleae in (.*))?\.",
        "Le détecteur trouve au ténor {1} colores de {2} notes et {3} taleae, aux vitesses {4}.",
    ),
    (
        r"The detector finds (\S+) taleae in the tenor, with the speeds (.*?)(?:; it also .*)?\.",
        "Le détecteur trouve au ténor {1} taleae, aux vitesses {2}.",
    ),
)

TECHNIQUES = (
    (
        r"Canon: (.*) follows (.*) after (.*), (at the unison|.* (?:above|below)), for (\d+) notes "
        r"\((\d+%) of .*\)\.",
        "Canon : {1} suit {2} après {3}, {4}, sur {5} notes ({6} de {2}).",
    ),
    (
        r"Imitation: (.*) imitates (.*) after (.*), (at the unison|.* (?:above|below)), for (\d+) "
        r"notes \((\d+%) of .*\)\.",
        "Imitation : {1} imite {2} après {3}, {4}, sur {5} notes ({6} de {2}).",
    ),
    (
        r"Ground bass: (.*) repeats (.*), (\d+) times\.",
        "Basse obstinée : {1} répète {2}, {3} fois.",
    ),
    (r"Ostinato: (.*) repeats (.*), (\d+) times\.", "Ostinato : {1} répète {2}, {3} fois."),
    (
        r"Cantus firmus: (.*) moves (\S+) times as slowly as the others and sings (.*) \(edit "
        r"distance (\S+)\)\.",
        "Cantus firmus : {1} va {2} fois plus lentement que les autres et chante {3} (distance "
        "d'édition {4}).",
    ),
    (
        r"Cantus firmus: (.*) moves (\S+) times as slowly as the others\.",
        "Cantus firmus : {1} va {2} fois plus lentement que les autres.",
    ),
    (
        r"Panisorhythm: all (\d+) voices repeat their rhythm after (.*)\.",
        "Panisorythmie : les {1} voix répètent leur rythme après {2}.",
    ),
    (
        r"(Homophony|Polyphony|Between homophony and polyphony): at (\d+%) of the onsets "
        r"(both|three voices or more) begin together\.",
        "{1} : à {2} des attaques, {3} commencent ensemble.",
    ),
    (
        r"(Isorhythm|Mensural transformation), (.*?): (talea.*|color.*)\.",
        "{1}, {2} : {3}.",
    ),
    (r"(\w+): (talea.*|color.*)\.", "{1} : {2}."),
    (
        r"talea( \w)? of (.*?) \((\d+) notes and (\d+) rests?\)",
        "talea{1} de {2} (notes : {3}, silences : {4})",
    ),
    (r"talea( \w)? of (.*?) \((\d+) notes\)", "talea{1} de {2} ({3} notes)"),
    (r"sung (.*) times", "chantée {1} fois"),
    (r"in the proportions (.*)", "dans les proportions {1}"),
    (r"color of (\d+) notes", "color de {1} notes"),
    (r"in other values", "dans d'autres valeurs"),
    (r"in (.*) quarters", "en {1} noires"),
    (r"under (.*)", "sous {1}"),
)

TERMS = {
    "nothing": "rien",
    "Isorhythm": "Isorythmie",
    "Mensural transformation": "Transformation mensurale",
    "before the end": "avant la fin",
    "soprano": "soprano",
    "tenor": "ténor",
    "bass": "basse",
    "Tenor": "Ténor",
    "Bass": "Basse",
    "fifths": "quintes",
    "octaves": "octaves",
    "unisons": "unissons",
    "at the unison": "à l'unisson",
    "the end of a phrase": "la fin d'une phrase",
    "a step down to a final": "un degré descendant vers une finale",
    "not moved": "sans déplacement",
    "a quarter": "noire",
    "a dotted quarter": "noire pointée",
    "as typed": "telle que tapée",
    "once": "une fois",
    "twice": "deux fois",
    "three times": "trois fois",
    "both": "les deux voix",
    "three voices or more": "trois voix ou plus",
    "Homophony": "Homophonie",
    "Polyphony": "Polyphonie",
    "Between homophony and polyphony": "Entre homophonie et polyphonie",
}
