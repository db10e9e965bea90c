"""Line searches: ``search(line, alpha)`` returns an acceptable step length, or None."""
