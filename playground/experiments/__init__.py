"""Tab 5's logic: which runs there are, what twins they make, and what comparing them says. No widgets."""
