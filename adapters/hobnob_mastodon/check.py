"""What `hobnob doctor` looks at."""

from collections.abc import AsyncIterator

from mastodon.errors import MastodonError

from hobnob.ports import Finding
from hobnob_mastodon.server import HOW_TO_SIGN_IN, Server, reason, status_code, token_refused


async def examine(server: Server) -> AsyncIterator[Finding]:
    """Server, token, bot flag, and whether strangers' private messages get through."""
    url = server.base_url
    try:
        instance = await server.ask(lambda api: api.instance_v2())
    except MastodonError as error:
        fix = "Check base_url under [platforms.mastodon], and whether the server is up."
        yield Finding(ok=False, what=f"{url}: {reason(error)}", fix=fix)
        return
    try:
        longest = instance["configuration"]["statuses"]["max_characters"]
        yield Finding(ok=True, what=f"{url} takes posts of {longest} characters")
    except (KeyError, TypeError):  # a server that only speaks a part of the API
        yield Finding(ok=True, what=f"{url} answers")

    try:
        account = await server.ask(lambda api: api.account_verify_credentials())
    except MastodonError as error:
        if status_code(error) in (401, 403):
            yield Finding(ok=False, what=f"{url} {token_refused(error)}", fix=HOW_TO_SIGN_IN)
        else:
            yield Finding(ok=False, what=f"{url}: {reason(error)}", fix="Try again in a while.")
        return
    yield Finding(ok=True, what=f"signed in as @{account['acct']}")

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
