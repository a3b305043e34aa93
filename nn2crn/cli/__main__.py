"""python -m nn2crn.cli."""

from nn2crn.cli import main

main()
