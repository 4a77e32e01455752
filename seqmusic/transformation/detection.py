"""The detector of isorhythm, asked whether it finds what was built."""

from __future__ import annotations

from seqmusic.recognition.techniques.isorhythm import (
    Isorhythm,
    find_isorhythms,
    is_panisorhythmic,
)
from seqmusic.score import Score
from seqmusic.transformation.motet_plan import MotetPlan
from seqmusic.transformation.tenor_checks import Check


def detector_check(plan: MotetPlan, score: Score) -> Check:
    """Whether `seqmusic recognize` finds color, taleae and proportions of the tenor in a motet.

    It knows nothing of the plan. Where the tenor is too short to be called isorhythmic, the item
    is reported and not failed; a color that is too short to be called is left out.
    """
    found = find_isorhythms(score)
    tenor = next((one for one in found if one.name == "Tenor"), None)
    layout = plan.layout
    if tenor is None:
        text = "The detector finds too little repetition in the tenor to call it isorhythmic."
        return Check("detector", None, text)
    ratios = [ratio / layout.ratios[0] for ratio in layout.ratios]
    distinct = [r for i, r in enumerate(ratios) if i == 0 or r != ratios[i - 1]]
    colores = tenor.n_colores, tenor.color_length_notes
    passed = (
        # A color that is sung once does not return; what returns then is a phrase of the tune.
        (len(layout.colores) == 1 or colores in ((0, 0), (len(layout.colores), layout.n_color)))
        and list(tenor.proportions) == distinct
        and _finds_taleae(plan, tenor)
        and (plan.settings.iso == "tenor" or is_panisorhythmic(score, found))
    )
    proportions = ", ".join(str(one) for one in tenor.proportions)
    text = (
        f"The detector finds {_colores_text(tenor)}{float(tenor.n_taleae):g} taleae in the tenor, "
        f"with the speeds {proportions}"
    )
    others = [one.name.lower() for one in found if one.name != "Tenor"]
    more = f"; it also finds taleae in {', '.join(others)}" if others else ""
    values = {"bits": round(tenor.bits, 1), "voices": [one.name for one in found]}
    return Check("detector", passed, f"{text}{more}.", values)


def _finds_taleae(plan: MotetPlan, tenor: Isorhythm) -> bool:
    """Whether the cycle of each section is a talea, or some taleae that follow each other."""
    ticks = plan.talea.units * plan.layout.unit_ticks
    ratios = [ratio * ticks for ratio in plan.layout.ratios]
    return all(any(one.talea_ticks % cycle == 0 for cycle in ratios) for one in tenor.sections)


def _colores_text(tenor: Isorhythm) -> str:
    if not tenor.n_colores:
        return ""
    return f"{tenor.n_colores} colores of {tenor.color_length_notes} notes and "
