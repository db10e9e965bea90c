"""Classical problems in n variables: Rosenbrock, Powell's singular function, Wood, Styblinski and Tang."""

from __future__ import annotations

from itertools import product
from typing import Any

import autograd.numpy as anp
import numpy as np

from problems.base import COLLECTION, SURVEY, CriticalPoint, Problem, check_integer
from problems.mgh import mgh_residuals
from problems.mgh.more_garbow_hillstrom import multiples
from problems.registry import register

# The second minimum of Rosenbrock's function and the saddle near it: (f, x) by n. For n ≤ 9 the list of critical points
# is complete: at each of them xₖ ≠ 0 for k < n, so ∂f/∂xₖ = 0 gives xₖ₊₁ as a rational function of x₁. The last
# equation is then a polynomial in x₁ of degree 3ⁿ⁻². All its roots were isolated in certified ball arithmetic: one is
# real for n = 2 and 3, three are real for n = 4 … 9.
# fmt: off
LOCAL_MINIMA: dict[int, tuple[float, list[float]]] = {
    4: (3.7014286104300173, [-0.77565922656535262, 0.61309336548504346, 0.38206284633839315,
        0.14597201855219461]),
    5: (3.9308394341330281, [-0.96205102069475016, 0.93573939597671001, 0.88071360419432059,
        0.77787767585440633, 0.60509367859265284]),
    6: (3.9739405009302949, [-0.98657497957099373, 0.98339822883618175, 0.97210667005309191,
        0.94743743682643601, 0.89865118485172963, 0.80757395203541755]),
    7: (3.983600536424854, [-0.99172257256140554, 0.99355539350337126, 0.99217332159469212,
        0.98689876269031392, 0.97516475660887304, 0.95143198270499267, 0.90522281771395347]),
    8: (3.9858877695994898, [-0.99290939020183209, 0.99590476337889445, 0.99684422424810315,
        0.99619948464056515, 0.99364964756089528, 0.98792973494161622, 0.97624273384337829,
        0.95304987538199314]),
    9: (3.9864428232478139, [-0.99319391568537433, 0.99646841777712446, 0.99796650015541169,
        0.99844065510416467, 0.99812964767323497, 0.99687754455781418, 0.9940575159343396,
        0.98826766830252459, 0.97667298421210876]),
    10: (3.9865791123471382, [-0.99326337285636895, 0.99660603944343522, 0.99824061139111252,
        0.99898843376780063, 0.99922615343966498, 0.99907364816334434, 0.99845417740290879,
        0.99705625166303772, 0.99417937522806614, 0.98839263012886794]),
}
SADDLES: dict[int, tuple[float, list[float]]] = {
    4: (3.7082419966472615, [-0.6561246357194459, 0.44312004097157237, 0.20431224822836433,
        0.041743494776128765]),
    5: (4.6573714282005743, [-0.55746831589884883, 0.32474004283377625, 0.11656732144533992,
        0.023354396464298222, 0.00054542783421162527]),
    6: (5.6463839665879511, [-0.55541972717903237, 0.32249327429744497, 0.1152070040989045,
        0.023502770405030752, 0.01044790120466494, 0.0001091586395824391]),
    7: (6.6362625075600182, [-0.55537697676058875, 0.32244648022243266, 0.11517879975265272,
        0.023506126928869399, 0.010656973479399591, 0.010013436716574877, 0.00010026891487684986]),
    8: (7.6261590034385357, [-0.5553760946633415, 0.32244551472939533, 0.1151782178726676,
        0.023506196298782436, 0.010661288409358659, 0.010213757015398791, 0.010004278051851097,
        0.00010008557933874958]),
    9: (8.6160558697320277, [-0.55537607646773777, 0.3224454948135483, 0.11517820586987751,
        0.023506197729769461, 0.010661377416702332, 0.010217887468827736, 0.010204407584124677,
        0.010004089043705882, 0.00010008179759439608]),
    10: (9.6059527436662844, [-0.55537607609240769, 0.32244549440273389, 0.1151782056222898,
        0.023506197759287187, 0.010661379252702775, 0.010217972669098167, 0.010208534022082078,
        0.010204214636604827, 0.010004085144900891, 0.00010008171958642669]),
}
# fmt: on
LARGEST_COMPLETE = 9


@register(
    "rosenbrock",
    tags=("2d", "nonconvex", "valley", "classic", "scalable", "mgh"),
    summary="the curved valley, chained to n variables; for n ≥ 4 there is a second minimum",
)
def rosenbrock(*, n: int = 2) -> Problem:
    """Σ 100(xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)² for i = 1 … n−1, from (−1.2, 1, −1.2, 1, …).

    The minimizer is (1, …, 1). It is the only critical point for n = 2 and 3; for n = 4 … 9 there are
    exactly two more, a second minimum and a saddle. Both are also listed for n = 10, where there may be
    others. Kok & Sandrock find the second minimum up to n = 100, and many saddles.

    Parameters
    ----------
    n : int >= 2, default 2
    """
    n = check_integer("n", n, low=2)

    def fun(x: Any) -> Any:
        head, tail = x[:-1], x[1:]
        return anp.sum(100.0 * (tail - head * head) ** 2 + (1.0 - head) ** 2, axis=0)

    refined = "Newton in 60-digit arithmetic"
    points = [CriticalPoint(x=np.ones(n), f=0.0, kind="minimum", index=0, verified="closed form")]
    for kind, index, table in (("minimum", 0, LOCAL_MINIMA), ("saddle", 1, SADDLES)):
        if n in table:
            f, x = table[n]
            points.append(CriticalPoint(x=np.array(x), f=f, kind=kind, index=index, verified=refined))
    standard = np.where(np.arange(n) % 2 == 0, -1.2, 1.0)
    return Problem(
        fun=fun,
        residuals=mgh_residuals.rosenbrock,
        n=n,
        starts=multiples(standard),
        points=tuple(points),
        complete=n <= LARGEST_COMPLETE,
        domain=((-2.0, 2.0), (-1.0, 3.0)) if n == 2 else None,
        formula="Σ 100(xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²,  i = 1 … n−1",
        references=(
            "Rosenbrock 1960, Computer J. 3, 175-184",
            f"{COLLECTION}, problem 1",
            "Kok & Sandrock 2009, Evolutionary Computation 17, 437-453",
        ),
        tags=frozenset({"multimodal", "saddle"} if n in LOCAL_MINIMA else ()),
    )


@register(
    "powell-singular",
    tags=("convex", "degenerate", "classic", "mgh"),
    summary="convex with a Hessian of rank 2 at the minimizer: Newton's method converges linearly",
)
def powell_singular() -> Problem:
    """(x₁ + 10x₂)² + 5(x₃ − x₄)² + (x₂ − 2x₃)⁴ + 10(x₁ − x₄)⁴.

    A sum of even powers of four independent linear forms: it is convex, and 0 is the only critical point.
    """

    def fun(x: Any) -> Any:
        a, b, c, d = x[0], x[1], x[2], x[3]
        return (a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4

    standard = np.array([3.0, -1.0, 0.0, 1.0])
    return Problem(
        fun=fun,
        residuals=mgh_residuals.powell_singular,
        n=4,
        starts=multiples(standard),
        points=(CriticalPoint(x=np.zeros(4), f=0.0, kind="degenerate minimum", index=0, verified="closed form"),),
        complete=True,
        formula="(x₁ + 10x₂)² + 5(x₃ − x₄)² + (x₂ − 2x₃)⁴ + 10(x₁ − x₄)⁴",
        references=("Powell 1962, Computer J. 5, 147-151", f"{COLLECTION}, problem 13"),
    )


@register(
    "wood",
    tags=("nonconvex", "saddle", "valley", "classic", "mgh"),
    summary="two coupled Rosenbrock valleys with a saddle at f = 7.877, near which descent methods are slow",
)
def wood() -> Problem:
    """100(x₂ − x₁²)² + (1 − x₁)² + 90(x₄ − x₃²)² + (1 − x₃)² + 10.1((x₂−1)² + (x₄−1)²) + 19.8(x₂−1)(x₄−1).

    From the published start, descent methods take many steps near the index-1 saddle.
    """

    def fun(x: Any) -> Any:
        a, b, c, d = x[0], x[1], x[2], x[3]
        return (
            100 * (b - a * a) ** 2
            + (1 - a) ** 2
            + 90 * (d - c * c) ** 2
            + (1 - c) ** 2
            + 10.1 * ((b - 1) ** 2 + (d - 1) ** 2)
            + 19.8 * (b - 1) * (d - 1)
        )

    exact = "exact: x₂, x₄ eliminated, all real roots by resultants, 70 digits; refined in 60 digits"
    standard = np.array([-3.0, -1.0, -3.0, -1.0])
    return Problem(
        fun=fun,
        residuals=mgh_residuals.wood,
        n=4,
        starts=multiples(standard),
        points=(
            CriticalPoint(x=np.ones(4), f=0.0, kind="minimum", index=0, verified=exact),
            CriticalPoint(
                x=np.array([-0.96797402493759307, 0.94713914081784182, -0.96951631033159115, 0.95124766579232528]),
                f=7.8769671651768675,
                kind="saddle",
                index=1,
                verified=exact,
            ),
            CriticalPoint(
                x=np.array([-0.031251023394335960, 0.16597138685578313, -0.031258171023264063, 0.18426393469672840]),
                f=35.090034210435626,
                kind="saddle",
                index=2,
                verified=exact,
            ),
        ),
        complete=True,
        formula=("100(x₂ − x₁²)² + (1 − x₁)² + 90(x₄ − x₃²)² + (1 − x₃)² + 10.1((x₂−1)² + (x₄−1)²) + 19.8(x₂−1)(x₄−1)"),
        references=(
            "Colville 1968, IBM New York Scientific Center Report 320-2949",
            f"{COLLECTION}, problem 14",
        ),
    )


# The roots of 4t³ − 32t + 5 with ½(t⁴ − 16t² + 5t) there: two minima and, between them, a maximum of one
# coordinate.
WELL = (-2.9035340277711771, -39.166165703771415)
SHALLOW_WELL = (2.7468027709908370, -25.029446655283943)
TOP = (0.15673125678034010, 0.19561235905535807)


@register(
    "styblinski-tang",
    tags=("2d", "nonconvex", "multimodal", "saddle", "classic", "scalable"),
    summary="a separable quartic with 2ⁿ minima",
)
def styblinski_tang(*, n: int = 2) -> Problem:
    """½ Σ xᵢ⁴ − 16xᵢ² + 5xᵢ: separable, so its 3ⁿ critical points are all combinations of three roots.

    All are listed for n ≤ 5, the 2ⁿ minima for n ≤ 10, and only the global minimum for larger n. "standard" is the
    centre of the usual box [−5, 5]ⁿ, where the Hessian is negative definite. "axis" lies on the diagonal, an axis of
    symmetry, on the side of the highest minimum. At "indefinite" the curvatures alternate in sign.

    Parameters
    ----------
    n : int >= 2, default 2
    """
    n = check_integer("n", n, low=2)

    def fun(x: Any) -> Any:
        square = x * x
        return 0.5 * anp.sum(square * (square - 16.0) + 5.0 * x, axis=0)

    roots: tuple[tuple[float, float], ...] = (WELL,)
    if n <= 5:
        roots = (WELL, SHALLOW_WELL, TOP)
    elif n <= 10:
        roots = (WELL, SHALLOW_WELL)
    points = []
    for choice in product(roots, repeat=n):
        index = choice.count(TOP)
        points.append(
            CriticalPoint(
                x=np.array([t for t, _ in choice]),
                f=sum(value for _, value in choice),
                kind="minimum" if index == 0 else "maximum" if index == n else "saddle",
                index=index,
                verified="exact: separable; the three real roots of a cubic in 60-digit arithmetic",
            )
        )
    return Problem(
        fun=fun,
        n=n,
        starts={
            "standard": np.zeros(n),
            "indefinite": np.where(np.arange(n) % 2 == 0, -2.0, 0.0),
            "axis": np.full(n, 1.0),
            "far": np.full(n, 50.0),
        },
        points=tuple(points),
        complete=n <= 5,
        domain=((-5.0, 5.0), (-5.0, 5.0)) if n == 2 else None,
        formula="½ Σ xᵢ⁴ − 16xᵢ² + 5xᵢ",
        references=("Styblinski & Tang 1990, Neural Networks 3, 467-483", f"{SURVEY}, function 144"),
    )
