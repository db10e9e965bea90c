"""
All critical points of a function
=================================

Four minima, four saddles and one maximum, proved complete by interval arithmetic.
"""

import newtonkit


def himmelblau(x):
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


points = newtonkit.find_critical_points(himmelblau, [(-6, 6), (-6, 6)])
print(points)
figure = points.plot()
