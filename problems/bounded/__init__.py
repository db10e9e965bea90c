"""Problems with bounds on the variables."""
