"""
A network on two moons
======================

The same network by Adam on mini-batches and by L-BFGS on all data.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit

rng = np.random.default_rng(0)
angle = np.pi * rng.random(300)
upper = np.arange(300) < 150
X = np.where(upper[:, None], np.c_[np.cos(angle), np.sin(angle)], np.c_[1 - np.cos(angle), 0.5 - np.sin(angle)])
X = X + 0.15 * rng.standard_normal((300, 2))
y = np.where(upper, 1.0, -1.0)
start = {"W": rng.standard_normal((2, 12)), "b": np.zeros(12), "v": 0.3 * rng.standard_normal(12), "c": 0.0}


def score(p, rows):
    return np.dot(np.tanh(np.dot(rows, p["W"]) + p["b"]), p["v"]) + p["c"]


def loss(p, batch):
    rows, signs = batch
    return np.mean(np.logaddexp(0.0, -signs * score(p, rows))) + 1e-4 * np.sum(p["W"] ** 2)


adam = newtonkit.train(loss, start, (X, y), "adam", batch_size=32, epochs=100, options={"rate": 0.02})
lbfgs = newtonkit.minimize(loss, start, args=((X, y),), method="lbfgs", options={"maxgev": 200})
a, b = np.meshgrid(np.linspace(-1.7, 2.7, 120), np.linspace(-1.2, 1.7, 120))
fig, axes = plt.subplots(1, 2, figsize=(9, 3.5))
for ax, name, result, passes in ((axes[0], "Adam", adam, adam.epochs), (axes[1], "L-BFGS", lbfgs, lbfgs.njev)):
    values = score(result.x, np.c_[a.ravel(), b.ravel()]).reshape(a.shape)
    ax.contourf(a, b, values, levels=[-100, 0, 100], colors=["C0", "C1"], alpha=0.3)
    ax.scatter(*X.T, c=np.where(upper, "C1", "C0"), s=8)
    ax.set(title=f"{name}: loss {result.fun:.4f} after {passes:.0f} passes")
plt.show()
