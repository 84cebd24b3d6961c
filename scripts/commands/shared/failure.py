"""How a command ends before its end: with words, or without any.

Exit statuses: 0 done; 1 refused, or something was found; 2 wrong arguments, input that cannot be read, or output that cannot be written;
3 the server cannot be reached, is in trouble, or is not a Holdfast server.
"""


class Failure(Exception):
    """Ends the command with a status, after writing a message to standard error."""

    def __init__(self, status: int, words: str):
        super().__init__(words)
        self.status, self.words = status, words


class WrongArguments(Failure):
    """Ends the command with status 2; the dispatcher adds which help to read."""

    def __init__(self, words: str):
        super().__init__(2, words)


class Ended(Exception):
    """Ends the command with a status and without a message: nothing needs to be said, or it was already said."""

    def __init__(self, status: int):
        super().__init__(status)
        self.status = status
