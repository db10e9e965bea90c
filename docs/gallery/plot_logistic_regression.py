"""
Logistic regression with a certificate
======================================

The regularized loss is strongly convex. This is proved from the recorded operations, so the minimum is the
global one, and the gap to it has a proved bound.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit

rng = np.random.default_rng(0)
X = rng.standard_normal((200, 2)) + np.where(np.arange(200) < 100, 1.0, -1.0)[:, None]
y = np.where(np.arange(200) < 100, 1.0, -1.0)


def loss(w):
    return np.sum(np.logaddexp(0.0, -y * (X @ w[:2] + w[2]))) + 0.5 * np.sum(w**2)


result = newtonkit.minimize(loss, np.zeros(3))
print(result.verdict)
fig, ax = plt.subplots()
ax.scatter(*X.T, c=y, cmap="coolwarm", s=12)
line = np.array([-4.0, 4.0])
ax.plot(line, -(result.x[0] * line + result.x[2]) / result.x[1], "k")
ax.set(ylim=(-4, 4), title=f"{result.nit} iterations, gap at most {result.verdict.gap:.1e}")
plt.show()
