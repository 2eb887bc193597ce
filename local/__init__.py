"""The whole stack on one machine: `python -m local up`, `down`, `status`, and `python -m local.demo`."""
