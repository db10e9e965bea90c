"""
A degenerate saddle
===================

Peano's function rises along every line through 0, and yet 0 is not a minimum: between the two parabolas f is
negative.
"""

import matplotlib.pyplot as plt
import numpy as np

import newtonkit


def peano(p):
    return (p[1] - p[0] ** 2) * (p[1] - 2 * p[0] ** 2)


verdict = newtonkit.classify(peano, [0.0, 0.0])
print(verdict)
a, b = np.meshgrid(np.linspace(-1, 1, 300), np.linspace(-0.3, 1.2, 300))
fig, ax = plt.subplots()
ax.contourf(a, b, np.sign(peano([a, b])), levels=[-1.5, 0.0, 1.5], colors=["C0", "0.9"])
ax.plot(0.0, 0.0, "ko")
ax.set(title=f"{verdict.kind}; f < 0 in the coloured region")
plt.show()
