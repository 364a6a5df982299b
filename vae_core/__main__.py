"""python -m vae_core: the command line of `vae_core.cli`."""

from .cli import main
from .training.processes import end_program

if __name__ == "__main__":
    end_program(main())
