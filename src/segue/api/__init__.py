"""Everything a plugin may import, and the only thing it needs."""

from segue.api.attribution import AttributionSpec, Credit, Path
from segue.api.channels import (
    Answer,
    BaseChannel,
    Callback,
    Channel,
    ChannelSpec,
    ContentPart,
    Forget,
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
from segue.api.sources import Fetched, FetchingSource, Received, Rejection, Source, SourceSpec, SourceTools
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
    "Fetched",
    "FetchingSource",
    "FieldSpec",
    "FieldType",
    "Forget",
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
    "Rejection",
    "Report",
    "Request",
    "Response",
    "Retry",
    "Sent",
    "Source",
    "SourceSpec",
    "SourceTools",
    "Tools",
    "Unknown",
    "Vocabulary",
    "from_datetime",
    "plugin",
    "to_datetime",
    "to_rfc3339",
]
