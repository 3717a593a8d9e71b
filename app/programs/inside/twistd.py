"""The script ``twistd``, for the frozen program, which comes without scripts."""

from twisted.scripts.twistd import run

if __name__ == "__main__":
    run()
