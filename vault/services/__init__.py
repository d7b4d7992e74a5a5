"""One file = one thing that a person does. Clock, randomness and secrets are handed in."""
