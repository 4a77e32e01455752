"""The figures of the recognition benchmark as text."""

from __future__ import annotations

from collections.abc import Iterator

from seqmusic.benchmarks.recognition import RecognitionFigures
from seqmusic.recognition.linear import Floats


def recognition_text(figures: RecognitionFigures) -> str:
    """All figures, for people."""
    sections = (
        _works_lines(figures),
        _input_lines(figures),
        *(_confusion_lines(figures, kind) for kind in figures.confusion),
        _risk_lines(figures),
        _unknown_lines(figures),
        _shortcut_lines(figures),
        _transformation_lines(figures),
        _source_lines(figures),
    )
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def _works_lines(figures: RecognitionFigures) -> list[str]:
    rows = [f"  {name:10} {a:5} {b:5} {c:5}" for name, (a, b, c) in figures.n_works.items()]
    joined = [" or ".join(names) for names in figures.joined if len(names) > 1]
    separable = f"hard to tell apart, and joined below: {'; '.join(joined) or 'none'}"
    return ["works: training, validation, test", *rows, separable]


def _input_lines(figures: RecognitionFigures) -> list[str]:
    n, n_joined = len(figures.classes), len(figures.joined)
    lines = [
        "balanced accuracy (95 % interval over groups), calibration error, share answered,",
        "precision of the answers, share called none of these",
        f"  {'input':13} {f'{n} classes':24} {f'{n_joined} joined':24}   ECE  answ. prec.  none",
    ]
    for row in figures.inputs:
        shares = f"{row.coverage:6.2f} {row.precision:5.2f} {row.unknown:5.2f}"
        ece = f"{row.calibration_error:6.3f}"
        lines.append(f"  {row.kind:13} {row.classes!s:24} {row.joined!s:24}{ece}{shares}")
    lines.append(f"calibration error over all inputs: {figures.calibration_error:.3f}")
    if figures.research:
        lines.append("among chorale, fiddle, folk, madrigal, mass, quartet, trecento:")
        lines += [f"  {kind:13} {accuracy}" for kind, accuracy in figures.research.items()]
    return lines


def _confusion_lines(figures: RecognitionFigures, kind: str) -> list[str]:
    width = max(map(len, figures.classes)) + 1
    head = "".join(f"{name[:6]:>7}" for name in figures.classes)
    lines = [f"confusion, {kind}: percent of each row", f"  {'':{width}}{head}"]
    lines += [f"  {row}" for row in _rows(figures.classes, figures.confusion[kind], width)]
    return lines


def _rows(names: tuple[str, ...], table: Floats, width: int) -> Iterator[str]:
    for name, row in zip(names, table.tolist(), strict=True):
        yield f"{name:{width}}" + "".join(f"{100 * share:7.0f}" for share in row)


def _risk_lines(figures: RecognitionFigures) -> list[str]:
    rows = [f"  {c:10.2f} {cov:9.2f} {p:10.3f}" for c, cov, p in figures.risk_coverage]
    return ["one voice, joined classes: confidence from, answered, precision", *rows]


def _unknown_lines(figures: RecognitionFigures) -> list[str]:
    rows = [f"  {name:10} {a:5.2f} {b:5.2f}" for name, (a, b) in figures.unknown.items()]
    title = "called none of these if the class was never learned: all voices, one voice"
    return [title, *rows]


def _shortcut_lines(figures: RecognitionFigures) -> list[str]:
    rows = [f"  {name:24} {accuracy}" for name, accuracy in figures.shortcuts.items()]
    return ["shortcuts: balanced accuracy of classifiers that see one feature alone", *rows]


def _transformation_lines(figures: RecognitionFigures) -> list[str]:
    rows = [
        f"  {name:28} {share:6.3f} of {n} works"
        for name, (n, share) in figures.transformations.items()
    ]
    return ["transformations: share of works whose class stays, all voices", *rows]


def _source_lines(figures: RecognitionFigures) -> list[str]:
    if not figures.sources:
        return []
    rows = [
        f"  {kind:13} {accuracy!s:24} {figures.sources_joined[kind]}"
        for kind, accuracy in figures.sources.items()
    ]
    shares = ", ".join(f"{name} {share:.2f}" for name, share in figures.sources_by_class.items())
    title = "sources never seen in training: balanced accuracy, all classes and joined ones"
    return [title, *rows, f"  all voices, by class: {shares}"]
