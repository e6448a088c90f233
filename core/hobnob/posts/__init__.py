"""Posts on a schedule: written ahead of time, approved by an owner, published once.

`rule` says what bot.toml wants, `when` reads its words for times, `version` makes of a text what
stands in each place, `draft` lets the model write, `feed` reads feeds, `review` words what the
owner is shown, `poster` does it all in its order. The tables are in hobnob.store.posts.
"""
