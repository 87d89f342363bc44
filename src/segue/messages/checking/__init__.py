"""What is wrong with the content of messages, before anything is sent: pure functions of templates and rules."""

from segue.messages.checking.book import check_content, check_template, sendings
from segue.messages.checking.files import content_problems
from segue.messages.checking.sheet import ChannelFacts, Medium, Sending, Sheet, facts_of_channels

__all__ = [
    "ChannelFacts",
    "Medium",
    "Sending",
    "Sheet",
    "check_content",
    "check_template",
    "content_problems",
    "facts_of_channels",
    "sendings",
]
