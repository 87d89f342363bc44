"""Everything a plugin may import, and the only thing it needs."""

from segue.api.attribution import AttributionSpec, Credit, Path
from segue.api.channels import (
    Answer,
    BaseChannel,
    Callback,
    Channel,
    ChannelSpec,
    ContentPart,
    Inbound,
    Kind,
    Message,
    Rejected,
    Report,
    Retry,
    Sent,
    Tools,
    Unknown,
)
from segue.api.events import Event
from segue.api.hooks import API_VERSION, plugin
from segue.api.http import HttpClient, HttpError, Request, Response
from segue.api.sources import Received, Source, SourceSpec
from segue.api.values import Instant, Money, Period, from_datetime, to_datetime, to_rfc3339
from segue.api.vocabulary import EventSpec, FieldSpec, FieldType, ReactionSpec, Vocabulary

__all__ = [
    "API_VERSION",
    "Answer",
    "AttributionSpec",
    "BaseChannel",
    "Callback",
    "Channel",
    "ChannelSpec",
    "ContentPart",
    "Credit",
    "Event",
    "EventSpec",
    "FieldSpec",
    "FieldType",
    "HttpClient",
    "HttpError",
    "Inbound",
    "Instant",
    "Kind",
    "Message",
    "Money",
    "Path",
    "Period",
    "ReactionSpec",
    "Received",
    "Rejected",
    "Report",
    "Request",
    "Response",
    "Retry",
    "Sent",
    "Source",
    "SourceSpec",
    "Tools",
    "Unknown",
    "Vocabulary",
    "from_datetime",
    "plugin",
    "to_datetime",
    "to_rfc3339",
]
