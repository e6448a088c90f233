"""The personal assistant: reminders and to-dos in chat."""
