"""The tasks that the bundles solve, a module each; reports, checks and documents take their facts and words from it."""
