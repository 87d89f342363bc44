"""A second reading of language.md: slow, small and meant to be obviously right.

It shares nothing with the engine but the model of rules. A journey is a Python generator that walks the tree of its
rule, and stands still where the journey waits; every condition walks its tree over the whole list of the customer's
events. Nothing is compiled, numbered, indexed or remembered.

Where the language is silent these choices are made:

- at one instant arrivals come first, then answers, then waits that end, then sends; waits in the order in which their
  journeys began;
- what a journey emits, or sets for others to see, reaches them once the journey has gone as far as it can, and before
  the event behind it goes on to other journeys and rules;
- what a journey sets itself does not meet its own goal;
- ``wait until`` a clock time or a window looks for the next one from the moment at which it is really reached, also
  after a late event;
- of two journeys of a rule that began at one instant, the later begun is the latest;
- a share, and an arm, hang on a hash of the customer, the rule and the use (`at_share`);
- who is in no share of a rollout is told so last, before anything changes for those inside;
- `preferred` and the channels after it never try one channel twice.
"""

from tests.engine.reference.clock import moment_of, on_wall
from tests.engine.reference.people import PREFERENCE, Line
from tests.engine.reference.world import WATCHED, World

__all__ = ["PREFERENCE", "WATCHED", "Line", "World", "moment_of", "on_wall"]
