"""What ``segue bench`` measures: each module a part, none of it used by anything else."""
