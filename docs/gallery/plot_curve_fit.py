"""
A curve with its bands
======================

Data, the fitted curve, its 95 % bands of confidence and prediction, and the residuals.
"""

import autograd.numpy as np

import newtonkit

t = np.linspace(0.0, 4.0, 30)
y = 3.0 * np.exp(-0.7 * t) + 0.5 + 0.05 * np.random.default_rng(0).standard_normal(30)
fit = newtonkit.curve_fit(lambda t, height, decay, offset: height * np.exp(-decay * t) + offset, t, y)
figure = fit.plot()
