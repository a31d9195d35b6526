"""presence: the hash that a user's presence carries, step by step."""

from canonical import as_set
from common import hash_of, valid
from reading import Pairs, read
from writing import write

EMPTY = "{}"


def canonical(text):
    return write(as_set(read(text.encode())))


def members(text):
    return dict(read(text.encode()))


def union(texts):
    """The canonical text of the union."""
    return write(Pairs({name: value for text in texts for name, value in members(text).items()}.items()))


class Server:
    """Sets are their canonical texts; a session is its user and its device ID."""

    def __init__(self):
        self.sessions = set()
        self.uploaders = {}
        # By session, in the order of the last declares that were accepted.
        self.declared = {}

    def session(self, user, device):
        return user, device

    def act(self, step):
        """Does what one step asks for."""
        user, device, act = step["user"], step.get("device"), step["act"]
        session = self.session(user, device)
        if act == "login":
            self.login(session)
        elif act == "declare":
            self.declare(session, canonical(step["set"]))
        elif act == "status" or session not in self.sessions:
            return
        elif act == "upload":
            self.upload(session, canonical(step["set"]))
        elif act == "logout":
            self.logout(session)
        elif act == "logout-all":
            self.logout_all(session)
        elif act == "delete-device":
            self.delete_device(session, self.session(user, step["deleted"]))
        else:
            raise ValueError(f"no act is called {act}")

    def login(self, session):
        self.withdraw(session)
        self.sessions.add(session)

    def upload(self, session, text):
        self.uploaders.setdefault(text, set()).add(session)

    def declare(self, session, text):
        if session not in self.sessions:
            return
        if self.knows(session, text):
            self.accept(session, text)
        else:
            self.refuse(session, text)

    def knows(self, _session, text):
        return bool(self.uploaders.get(text))

    def accept(self, session, text):
        self.withdraw(session, instead=text)
        self.declared[session] = text

    def refuse(self, session, text):
        pass

    def withdraw(self, session, instead=None):
        self.declared.pop(session, None)

    def withdraw_all(self, user):
        for session in [session for session in self.declared if session[0] == user]:
            self.withdraw(session)

    def end(self, session):
        if session in self.sessions:
            self.sessions.remove(session)
            self.withdraw(session)

    def logout(self, session):
        self.end(session)

    def logout_all(self, asker):
        for session in self.sessions_of(asker[0]):
            self.end(session)

    def delete_device(self, _asker, session):
        self.end(session)

    def sessions_of(self, user):
        return sorted(session for session in self.sessions if session[0] == user)

    def sets_of(self, user):
        return [text for session, text in self.declared.items() if session[0] == user]

    def combined(self, texts):
        return union(texts)

    def status(self, user):
        texts = self.sets_of(user)
        return hash_of(self.combined(texts)) if texts else None

    def statuses(self, steps):
        """What the status of each step's user carries afterwards."""
        carried = []
        for step in steps:
            self.act(step)
            carried.append(self.status(step["user"]))
        return carried


class Reasoned(Server):
    """Says where the status carries nothing why it does."""

    def __init__(self):
        super().__init__()
        self.have_declared = set()

    def accept(self, session, text):
        super().accept(session, text)
        self.have_declared.add(session[0])

    def status(self, user):
        return super().status(user) or (bool(self.sessions_of(user)), user in self.have_declared)


def solve(case):
    carried = Reasoned().statuses(case["steps"])
    reasons = list(dict.fromkeys(status for status in carried if isinstance(status, tuple)))

    def choice(number):
        """The statuses, that of {} where the bit of the reason is set."""
        nothing = {reason: hash_of(EMPTY) if number >> i & 1 else None for i, reason in enumerate(reasons)}
        return [nothing.get(status, status) for status in carried]

    solution = valid({"statuses": choice(0)})
    solution.also = [choice(number) for number in range(1, 2 ** len(reasons))]
    return solution
