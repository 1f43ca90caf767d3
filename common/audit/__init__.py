"""Whether anybody's split lets a patient, a scan or a picture stand on two sides; needs none of the bundles."""
