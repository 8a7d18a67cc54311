"""The component's custom pages and parameters in TouchDesigner: created, or brought up to date in place.

A parameter that stays keeps its mode: its value, expression, binding or export, and whatever else refers to it. Only
one that changes its page or its style is created again, and then driven as before; an export has to be set again by
hand, because only its CHOP can do that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streamvace_td.pages import PageSpec, ParSpec
from streamvace_td.td_api import Component, Page, Par, TouchDesigner


@dataclass(frozen=True)
class Driven:
    """How a parameter got its value."""

    mode: object
    constant: object
    expr: str
    bind_expr: str


def update_pars(component: Component, td: TouchDesigner, made: Sequence[PageSpec]) -> None:
    """Give the component exactly these pages and parameters, in this order."""
    wanted = {spec.name: (page.name, spec.style) for page in made for spec in page.pars}
    replaced: dict[str, Driven] = {}
    for each in list(component.customPars):
        if wanted.get(each.name) != (each.page.name, each.style):
            replaced[each.name] = Driven(each.mode, each.val, each.expr, each.bindExpr)
            each.destroy()
    existing = {page.name: page for page in component.customPages}
    for page in made:
        custom_page = existing.pop(page.name, None) or component.appendCustomPage(page.name)
        for spec in page.pars:
            kept = component.par[spec.name]
            target = kept or _append(custom_page, spec)
            _describe(target, spec)
            if kept is None or spec.read_only:
                _reset(target, spec)
            if spec.name in replaced and not spec.read_only:
                _drive(target, spec, td, replaced[spec.name])
        custom_page.sort(*(spec.name for spec in page.pars))
    for obsolete in existing.values():
        obsolete.destroy()
    component.sortCustomPages(*(page.name for page in made))


def _append(page: Page, spec: ParSpec) -> Par:
    made: Par = getattr(page, f"append{spec.style}")(spec.name, label=spec.label)[0]
    return made


def _describe(target: Par, spec: ParSpec) -> None:
    target.label, target.help = spec.label, spec.help
    target.startSection, target.readOnly = spec.section, spec.read_only
    if spec.choices:
        target.menuNames = [name for name, _ in spec.choices]
        target.menuLabels = [label for _, label in spec.choices]
    if spec.minimum is not None:
        target.min = target.normMin = spec.minimum
    if spec.maximum is not None:
        target.max = target.normMax = spec.maximum
    target.clampMin, target.clampMax = spec.minimum is not None, spec.maximum is not None
    if spec.default is not None:
        target.default = spec.default


def _reset(target: Par, spec: ParSpec) -> None:
    if spec.default is not None:
        target.val = spec.default


def _drive(target: Par, spec: ParSpec, td: TouchDesigner, before: Driven) -> None:
    """Drive a parameter of another style or page as the one that it replaces, as far as that fits."""
    value = before.constant
    fits = isinstance(value, str) == isinstance(spec.default, str) and spec.default is not None
    if fits and (not spec.choices or value in [name for name, _ in spec.choices]):
        target.val = value
    if before.mode == td.ParMode.EXPRESSION:
        target.expr = before.expr
    elif before.mode == td.ParMode.BIND:
        target.bindExpr = before.bind_expr
