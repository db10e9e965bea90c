"""Where the parts of a finite sum are evaluated, and the tree in which they are added."""
