"""`python -m workbench ...`, the form that torchrun starts."""

from workbench.cli import main

if __name__ == "__main__":
    main()
