"""Where the brain is: masks that come with a scan, or made by a program."""
