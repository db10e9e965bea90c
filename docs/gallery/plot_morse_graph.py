"""
Which minima does each saddle connect?
======================================

From each saddle of index 1 two paths of steepest descent are followed to the minima where they end.
"""

import newtonkit


def six_hump_camel(p):
    x, y = p[0], p[1]
    return (4 - 2.1 * x**2 + x**4 / 3) * x**2 + x * y + (-4 + 4 * y**2) * y**2


points = newtonkit.find_critical_points(six_hump_camel, [(-3, 3), (-2, 2)])
graph = newtonkit.morse_graph(six_hump_camel, points)
print(graph)
figure = graph.plot()
