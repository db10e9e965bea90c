"""Trust regions: the quadratic model inside a ball (`exact`), and how the ball grows and shrinks (`radius`)."""
