"""What `segue import` is made of: the files and who reads them, their way into the store, and what is told of it."""
