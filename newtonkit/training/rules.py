"""What can be trained with: the rule that a name, options and a schedule mean, and what is refused with the way out."""

from __future__ import annotations

import dataclasses
from typing import Any

from newtonkit.core.validation import check_choice, nearest_name
from newtonkit.methods.first_order import FirstOrder, Rule
from newtonkit.methods.registry import METHODS, canonical_name, option_names
from newtonkit.methods.sampled_lbfgs import SampledLBFGS
from newtonkit.methods.schedules import PerEpoch, Rate, check_rate
from newtonkit.training.batches import Sampling

RULES: dict[str, type[Rule]] = {name: cls for name, cls in METHODS.items() if issubclass(cls, Rule)} | {
    "lbfgs": SampledLBFGS,
    SampledLBFGS.name: SampledLBFGS,
}


def configured(
    rule: Rule,
    options: dict[str, Any],
    schedule: Rate | None,
    unit: str | None,
    sampling: Sampling,
    *,
    counts_updates: bool = False,
) -> Rule:
    """The rule with its options and a rate that counts updates; ``counts_updates``: that of the rule does already."""
    check_choice("schedule_unit", unit or "updates", ("updates", "epochs"))
    known = option_names(rule)
    for name in options:
        if name not in known:
            raise ValueError(
                f"unknown option {name!r} for method {rule.name!r}; {nearest_name(name, [*known, 'tape'])}"
            )
    rate = options.get("rate")
    if schedule is not None:
        if rate is None and not counts_updates and rule.rate != type(rule)().rate:
            rate = rule.rate
        if rate is not None:
            raise ValueError(f"give a schedule or a rate, not both: schedule={schedule!r}, rate={rate!r}")
        check_rate(schedule, "schedule")
        rate = schedule
    if rate is None:
        rate = rule.rate
        unit = None if counts_updates else unit
    if unit == "epochs" and callable(rate):
        check_rate(rate)
        rate = PerEpoch(rate, sampling.updates_per_epoch)
    return dataclasses.replace(rule, **{**options, "rate": rate})


def rule_to_go_on(before: Rule, method: str | Rule | None) -> Rule:
    """The rule of the earlier run, unless an instance of it is given anew."""
    wanted = before if method is None else found(method)
    if wanted.name != before.name:
        raise ValueError(
            f"params is a result of {before.name!r}, and {wanted.name!r} cannot go on from its state; "
            "pass params=result.x to start anew"
        )
    return before if isinstance(method, str) else wanted


def found(method: Any) -> Rule:
    """The rule that a name or an instance means; what does not work on samples is refused with the way out."""
    if isinstance(method, type):
        raise TypeError(f"method must be an instance, got the class {method.__name__}; write {method.__name__}()")
    if isinstance(method, FirstOrder):
        method = method.rule
    if isinstance(method, Rule):
        return method
    if isinstance(method, str):
        name = method if method in RULES else canonical_name(method)
        if name in RULES:
            return RULES[name]()
    elif not hasattr(method, "step"):
        raise TypeError(f"method must be a name or a rule such as newtonkit.Adam(), got {method!r}")
    name = method if isinstance(method, str) else getattr(method, "name", "this method")
    rules = ", ".join(rule for rule in RULES if rule != SampledLBFGS.name)
    raise ValueError(
        f"method {name!r} needs the loss over all data, since it compares values or takes curvature from them: "
        f"newtonkit.minimize(lambda p: loss(p, data), params, method={name!r}); or train with one of "
        f"{rules}"
    )
