"""The sample programme: what is told (story), how it is written down (sheets), in which formats."""
