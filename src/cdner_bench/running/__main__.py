"""`python -m cdner_bench.running` makes the runs that another process asks it for (`process`)."""

from .process import serve

if __name__ == "__main__":
    serve()
