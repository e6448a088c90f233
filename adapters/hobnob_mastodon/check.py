"""What `hobnob doctor` looks at."""

from collections.abc import AsyncIterator

from mastodon.errors import MastodonError

from hobnob.ports import Finding
from hobnob_mastodon import instance
from hobnob_mastodon.instance import Takes
from hobnob_mastodon.plain import Counting
from hobnob_mastodon.server import HOW_TO_SIGN_IN, Server, is_token_refused


async def examine(server: Server) -> AsyncIterator[Finding]:
    """Server, token and scopes, bot flag, and whether strangers' private messages get through."""
    url = server.base_url
    try:
        account = await server.ask(lambda api: api.account_verify_credentials())
    except MastodonError as error:
        if is_token_refused(error):
            what = f"{url} does not accept the access token ({server.reason(error)})"
            yield Finding(ok=False, what=what, fix=HOW_TO_SIGN_IN)
        else:
            fix = "Check base_url under [platforms.mastodon], and whether the server is up."
            yield Finding(ok=False, what=f"{url}: {server.reason(error)}", fix=fix)
        return
    yield Finding(ok=True, what=f"{url} knows us as @{account['acct']}")
    limits = (await instance.ask(server, Takes(counting=Counting()))).limits
    yield Finding(
        ok=True,
        what=f"a post may have {limits.max_length} characters and {limits.media.most} files",
    )

    try:
        application = await server.ask(lambda api: api.app_verify_credentials())
        missing = {"read", "write"} - {*(application.get("scopes") or ("read", "write"))}
    except MastodonError:
        missing = set()  # a server that does not say
    if missing:
        what = f"the access token lacks the scope {' and '.join(sorted(missing))}"
        yield Finding(ok=False, what=what, fix=HOW_TO_SIGN_IN)

    if account.get("bot"):
        yield Finding(ok=True, what="the account is marked as automated")
    else:
        yield Finding(
            ok=False,
            what="the account is not marked as automated, which many servers ask of bots",
            fix="Switch on 'This is an automated account' in Preferences, Public profile.",
        )

    try:
        policy = await server.ask(lambda api: api.notifications_policy())
    except MastodonError:
        return  # before Mastodon 4.3 there is no such filter
    if policy.get("for_private_mentions", "accept") == "accept":
        yield Finding(ok=True, what="private mentions by strangers get through")
    else:
        yield Finding(
            ok=False,
            what="private mentions by strangers are filtered by the server and never arrive",
            fix="Set 'Unsolicited private mentions' to Accept in the filters of Notifications.",
        )
