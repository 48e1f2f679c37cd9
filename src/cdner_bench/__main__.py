"""`python -m cdner_bench` is the command `cdner-bench`."""

from .cli import main

if __name__ == "__main__":
    main()
