"""Small types that every other folder uses: states, termination reasons, counts, validation."""
