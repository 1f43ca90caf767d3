"""All bundles on phantoms: the commands of ``scripts/demo.py``, how they are run and shown, and the page at the end."""
