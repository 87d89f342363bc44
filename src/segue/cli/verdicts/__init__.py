"""What came of the tests of rules, as people and programs read it."""
