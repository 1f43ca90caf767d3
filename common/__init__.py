"""The code that the six bundles share: cohorts, splits, transforms, networks, metrics, handlers and reports.

Importing it is cheap (neither MONAI nor torch is loaded) and makes a user's mistake end in one message.
"""

from common.errors import install_error_hook

__version__ = "0.1.0"

install_error_hook()
