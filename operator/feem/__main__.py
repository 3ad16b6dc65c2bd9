"""`python -m feem` is `feem`."""

from feem.cli import main

if __name__ == "__main__":
    main()
