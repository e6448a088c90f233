"""Writing first, to those who asked for it: on their birthday, after what they had planned, when
the bot said that it would, and with a question a day.

Nothing is planned ahead but when to look. Each person has one row in `schedule`, which rings once a
day at their hour; what to say, if anything, is decided then, from what is known then. So a fact
that was corrected or forgotten needs no alarm to be moved: there is none.
"""
