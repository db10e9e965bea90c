"""The first-order rule that a name, an instance, options and a schedule stand for."""

from __future__ import annotations

import dataclasses
from typing import Any

from newtonkit.core.validation import check_choice, nearest_name
from newtonkit.methods.first_order import FirstOrder, GradientTransform, check_learning_rate
from newtonkit.methods.lion import Lion
from newtonkit.methods.registry import METHODS, canonical_name, option_names
from newtonkit.methods.sampled_lbfgs import SampledLBFGS
from newtonkit.methods.schedules import PerEpoch, Rate, check_rate
from newtonkit.methods.transforms.composition import FirstOrderRule
from newtonkit.training.batches import Sampling

RULES: dict[str, type[FirstOrderRule]] = {name: cls for name, cls in METHODS.items() if issubclass(cls, FirstOrderRule)}
RULES |= {Lion.name: Lion, "lbfgs": SampledLBFGS, SampledLBFGS.name: SampledLBFGS}


def configure_rule(
    rule: GradientTransform,
    options: dict[str, Any],
    schedule: Rate | None,
    unit: str | None,
    sampling: Sampling,
    *,
    counts_updates: bool = False,
) -> GradientTransform:
    """The rule with its options and a learning rate as a function of the update.

    ``counts_updates`` means that the schedule of ``rule`` is such a function already, whatever ``unit`` is.
    """
    check_choice("schedule_unit", unit or "updates", ("updates", "epochs"))
    known = option_names(rule)
    for name in options:
        if name not in known:
            raise ValueError(
                f"unknown option {name!r} for method {rule.name!r}; {nearest_name(name, [*known, 'tape'])}"
            )
    if not isinstance(rule, FirstOrderRule):
        if schedule is not None or (unit == "epochs" and not counts_updates):
            raise ValueError(
                f"{rule.name} contains its learning rate, so it takes neither schedule nor schedule_unit: write "
                "newtonkit.scale_by_learning_rate(schedule), and newtonkit.PerEpoch(schedule, updates) to count epochs"
            )
        return rule
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


def rule_to_resume(before: GradientTransform, method: str | GradientTransform | None) -> GradientTransform:
    """The rule of the earlier run, or an instance of it with other options if one is given."""
    wanted = before if method is None else resolve_rule(method)
    if wanted.name != before.name:
        raise ValueError(
            f"params is a result of {before.name!r}, and {wanted.name!r} cannot resume from its state; "
            "pass params=result.x to start a new run"
        )
    return before if isinstance(method, str) else wanted


def resolve_rule(method: Any) -> GradientTransform:
    """The rule for a name or an instance.

    Raises
    ------
    TypeError, ValueError
        If the method cannot be used on batches, with what to use instead.
    """
    if isinstance(method, type):
        raise TypeError(f"method must be an instance, got the class {method.__name__}; write {method.__name__}()")
    if isinstance(method, FirstOrder):
        method = method.rule
    if isinstance(method, GradientTransform):
        check_learning_rate(method)
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
        f"method {name!r} needs the loss over all data, since it compares its values or uses its curvature: "
        f"newtonkit.minimize(lambda p: loss(p, data), params, method={name!r}); or train with one of "
        f"{rules}"
    )
