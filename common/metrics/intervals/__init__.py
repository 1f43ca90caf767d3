"""How sure a measure is: intervals over patients, and tests against chance."""
