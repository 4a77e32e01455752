"""Errors of the package as patterns, each with its French; {1} is the first group in French."""

from __future__ import annotations

ERRORS = (
    (
        r"(?:voice (\d+), )token (\d+) '(.*?)' at character (\d+): (.*)",
        "Voix {1}, signe {2} « {3} », caractère {4} : {5}",
    ),
    (r"token (\d+) '(.*?)' at character (\d+): (.*)", "Signe {1} « {2} », caractère {3} : {4}"),
    (
        r"expected a pitch such as [^;]*; did you mean '?(.*?)'?\?",
        "on attend une hauteur comme C4, Bb3, 60 ou do4, un silence R, une note tenue _ ou une "
        "barre | ; vouliez-vous « {1} » ?",
    ),
    (
        r"expected a pitch such as .*",
        "on attend une hauteur comme C4, Bb3, 60 ou do4, un silence R, une note tenue _ ou une "
        "barre |",
    ),
    (
        r"expected a value [^;]*; did you mean '(.*)'\?",
        "on attend une valeur comme 1/8, 3/8 ou 1 ; vouliez-vous « {1} » ?",
    ),
    (r"expected a value .*", "on attend une valeur comme 1/8, 3/8 ou 1"),
    (r"a pitch lies between .*got (-?\d+).*", "une hauteur est entre C-1 et G9, ici {1}"),
    (
        r"holds the note before it, and there is none; for silence type R",
        "tient la note précédente, mais il n'y en a pas ; pour un silence, tapez R",
    ),
    (
        r"voice (\d+), bar (\d+) holds (\S+) in (\S+) \((.*)\)",
        "Voix {1}, mesure {2} : elle contient {3} pour {4} ({5})",
    ),
    (
        r"bar (\d+) holds (\S+) in (\S+) \((.*)\)",
        "Mesure {1} : elle contient {2} pour {3} ({4})",
    ),
    (r"before the \| at character (\d+)", "avant la barre au caractère {1}"),
    (
        r"the theme holds no notes?.*|the theme has no notes.*",
        "Le thème n'a pas de note ; écrivez-en, par exemple C4 D4 E4:1/2",
    ),
    (
        r"the theme has (\d+) bars?, which leaves none of (\d+) to compose.*",
        "Le thème a déjà {1} mesures : il n'en reste aucune sur {2} à composer ; demandez plus de "
        "mesures",
    ),
    (
        r"all four voices are given.*",
        "Les quatre voix sont données : il ne reste rien à composer ; choisissez la voix donnée",
    ),
    (
        r"no solution was found in (\d+) attempts.*",
        "Aucune solution en {1} essais ; relâchez les règles, ou essayez une autre graine",
    ),
    (
        r"(\w+) and (\w+) cross in bar (\d+); with these given notes, --strict cannot be met",
        "Les voix {1} et {2} se croisent à la mesure {3} : avec ces notes données, la règle "
        "stricte est impossible",
    ),
    (
        r"(\w+) and (\w+) move in parallel (\w+) in bar (\d+); with these given notes.*",
        "Les voix {1} et {2} font des {3} parallèles à la mesure {4} : avec ces notes données, la "
        "règle stricte est impossible",
    ),
    (
        r"nothing is selected to be composed.*",
        "Rien n'est choisi pour être recomposé ; choisissez des cases qui ne sont pas gelées",
    ),
    (
        r"no note begins there.*",
        "Aucune note n'y commence ; choisissez d'autres mesures ou d'autres voix",
    ),
    (
        r"the music grew beyond.*|the (?:prompt|score|music) has \d+ events.*",
        "La musique est trop longue pour ce modèle ; demandez moins de mesures, ou un passage",
    ),
    (r"there are (\d+) voices.*", "Il y a {1} voix ; donnez-en une, ou quatre"),
    (
        r"the (?:theme|score) has no time signature.*",
        "Il manque le chiffrage de mesure ; choisissez-en un sous « Mesure »",
    ),
    (
        r"a (?:scale|cadence) needs a key.*",
        "Il y faut une tonalité ; choisissez-la sous « Tonalité »",
    ),
    (
        r"the theme has (\d+) voices, and a melody has one.*",
        "Le thème a {1} voix et une mélodie en a une ; demandez quatre voix",
    ),
    (
        r"the (\w+) ends on (\S+), not on a note of the tonic chord of (.*): no cadence",
        "La voix {1} finit sur {2}, hors de l'accord de tonique de {3} : pas de cadence",
    ),
    (
        r"files that can be read end in (.*); this one does not",
        "On peut ouvrir les fichiers qui finissent par {1} ; pas celui-ci",
    ),
    (r"the file holds no note", "Le fichier ne contient aucune note"),
    (
        r"this session is unknown.*",
        "Cette session est inconnue du serveur ; la page en commence une nouvelle",
    ),
    (
        r"this music could not be read or engraved in time.*",
        "Cette musique n'a pu être lue ou gravée à temps ; le reste continue comme avant",
    ),
    (r"this model is no longer there.*", "Ce modèle n'est plus là ; le modèle inclus est choisi"),
    (r"a training is going on.*", "Un apprentissage est en cours ; arrêtez-le d'abord"),
    (r"there is no note; type.*", "Il n'y a aucune note ; écrivez ou jouez-en une"),
    (r"a file has at most 5 MB here", "Un fichier a 5 Mo au plus ici"),
    (
        r"a piece has at most (\d+) voices and (\S+) notes here, got (\d+) and (\S+)",
        "Un morceau a ici {1} voix et {2} notes au plus ; celui-ci en a {3} et {4}",
    ),
    (
        r"a color needs at least (\d+) notes of changing pitch, this tune has (\d+).*",
        "Une color a au moins {1} notes de hauteur changeante, cet air en a {2} ; donnez un air "
        "plus long",
    ),
    (
        r"a color of (\d+) notes makes the motet longer than the model can follow.*",
        "Avec une color de {1} notes le motet est plus long que le modèle ne peut suivre ; prenez "
        "moins de sections, ou une talea plus courte",
    ),
    (
        r"sections are 1 to (\d+) proportions such as (\S+) or (\S+), got (.*)",
        "Les sections sont 1 à {1} proportions comme {2} ou {3}, et non {4}",
    ),
    (
        r"--iso all repeats the rhythm of all voices in the proportions .*",
        "Si toutes les voix répètent leur rythme dans ces proportions, une note serait plus courte "
        "qu'une triple croche ; les sections 1,1/2 conviennent",
    ),
    (r"an introitus has 0..32 bars, got (.*)", "Un introitus a 0 à 32 mesures, et non {1}"),
)
