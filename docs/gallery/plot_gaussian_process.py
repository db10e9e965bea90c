"""
The length scale of a Gaussian process
======================================

The negative log marginal likelihood of a Gaussian process, by exact derivatives through `solve` and
`slogdet`.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit

rng = np.random.default_rng(3)
t = np.sort(rng.uniform(0.0, 5.0, 15))
y = np.sin(2.0 * t) + 0.2 * rng.standard_normal(15)
squares = (t[:, None] - t[None, :]) ** 2


def negative_log_likelihood(p):
    length, noise = np.exp(p[0]), np.exp(p[1])
    K = np.exp(-0.5 * squares / length**2) + noise**2 * np.eye(15)
    return 0.5 * np.dot(y, np.linalg.solve(K, y)) + 0.5 * np.linalg.slogdet(K)[1]


result = newtonkit.minimize(negative_log_likelihood, [0.0, -1.0])
print(result)
a, b = np.meshgrid(np.linspace(-2.0, 4.0, 50), np.linspace(-4.0, 1.0, 50))
values = np.array(
    [[negative_log_likelihood([u, v]) for u, v in zip(*row, strict=True)] for row in zip(a, b, strict=True)]
)
fig, ax = plt.subplots()
ax.contour(a, b, values, levels=values.min() + np.logspace(-1, 2, 15), colors="0.7")
ax.plot(*result.x, "r*", markersize=14)
ax.set(xlabel="log length scale", ylabel="log noise", title=f"{result.verdict.kind}: {result.nit} iterations")
plt.show()
