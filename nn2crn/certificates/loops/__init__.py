"""What is proved of recurrent networks."""
