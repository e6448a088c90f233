"""What a server takes: how long a post may be, and which files it may have."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mastodon.errors import MastodonError

from hobnob.media import MEGABYTE
from hobnob.ports import Limits, MediaLimits
from hobnob_mastodon.plain import LINK_LENGTH, Counting
from hobnob_mastodon.server import Server

_A_VERSION = re.compile(r"[3-9]\.\d+\.\d+[\w.+-]*")
"""Of Mastodon's own. Other servers say "2.7.2 (compatible; Pleroma 2.9)" or begin with 0."""


USUAL = MediaLimits(
    most=4,
    largest={"image/": 16 * MEGABYTE, "video/": 99 * MEGABYTE, "audio/": 99 * MEGABYTE},
)
"""What Mastodon takes, unless a server says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Takes:
    counting: Counting
    media: MediaLimits = USUAL

    @property
    def limits(self) -> Limits:
        how = self.counting
        return Limits(max_length=how.most, length=how.length, media=self.media)


async def ask(server: Server, otherwise: Takes) -> Takes:
    """What the server says of itself; `otherwise` where it does not."""
    for describe in (lambda api: api.instance_v2(), lambda api: api.instance_v1()):
        try:
            instance = await server.ask(describe)
            configuration = instance["configuration"]
            counting = _counting(instance, configuration["statuses"])
            return Takes(counting=counting, media=_media(configuration, otherwise.media))
        except (MastodonError, KeyError, TypeError, ValueError, AttributeError):
            continue
    return otherwise


def _counting(instance: Mapping[str, Any], statuses: Mapping[str, Any]) -> Counting:
    is_mastodon = "mastodon" in (instance.get("api_versions") or {})
    return Counting(
        most=int(statuses["max_characters"]),
        link=int(statuses.get("characters_reserved_per_url") or LINK_LENGTH),
        plainly=not is_mastodon and not _A_VERSION.fullmatch(f"{instance.get('version')}"),
    )


def _media(configuration: Mapping[str, Any], otherwise: MediaLimits) -> MediaLimits:
    try:
        files = configuration["media_attachments"]
        image, other = int(files["image_size_limit"]), int(files["video_size_limit"])
        largest = {
            kind: image if kind.startswith("image/") else other
            for kind in files["supported_mime_types"]
        }
        return MediaLimits(
            most=int(configuration["statuses"].get("max_media_attachments") or otherwise.most),
            largest=largest or otherwise.largest,
            longest_alt=int(files.get("description_limit") or otherwise.longest_alt),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return otherwise
