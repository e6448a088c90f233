"""`python -m hobnob` is `hobnob`."""

from hobnob.cli import main

if __name__ == "__main__":
    main()
