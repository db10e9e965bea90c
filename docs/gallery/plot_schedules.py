"""
Schedules of the learning rate
==============================

Each schedule is a function of the step; `Warmup` contains another one.
"""

import newtonkit
from newtonkit.plots.learning_rates import plot_schedules

schedules = [
    newtonkit.StepDecay(0.1, milestones=(25, 50, 75), factor=0.5),
    newtonkit.Exponential(0.1, decay=0.03),
    newtonkit.Cosine(0.1, horizon=100),
    newtonkit.Warmup(newtonkit.Cosine(0.1, horizon=100), steps=15),
]
figure = plot_schedules(schedules, 100)
