"""The mistakes with presence: for each the right server with a few lines of its own."""

from common import ascii_lower, hash_of, table
from presence import EMPTY, Server, members, union
from reading import Pairs
from writing import as_uploaded, write

MISTAKES, mistake = table()


def deviant(name):
    """Adds a server that makes a mistake."""

    def add(server):
        mistake(name)(lambda case: server().statuses(case["steps"]))
        return server

    return add


# Uploads, and which sets are known.


@deviant("upload-declares")
class UploadDeclares(Server):
    def upload(self, session, text):
        super().upload(session, text)
        self.accept(session, text)


@deviant("known-per-user")
class KnownPerUser(Server):
    def knows(self, session, text):
        return any(uploader[0] == session[0] for uploader in self.uploaders.get(text, ()))


@deviant("known-per-session")
class KnownPerSession(Server):
    def knows(self, session, text):
        return session in self.uploaders.get(text, ())


@deviant("known-once")
class KnownOnce(Server):
    def accept(self, session, text):
        super().accept(session, text)
        del self.uploaders[text]


@deviant("forgotten-with-session")
class ForgottenWithSession(Server):
    def end(self, session):
        super().end(session)
        for uploaders in self.uploaders.values():
            uploaders.discard(session)


# Declares that are refused.


@deviant("refused-declare-counts")
class RefusedDeclareCounts(Server):
    def knows(self, session, text):
        return True


@deviant("refused-declare-clears")
class RefusedDeclareClears(Server):
    def refuse(self, session, text):
        self.withdraw(session)


@deviant("refused-declare-waits")
class RefusedDeclareWaits(Server):
    def __init__(self):
        super().__init__()
        self.waiting = []

    def refuse(self, session, text):
        self.waiting.append((session, text))

    def upload(self, session, text):
        super().upload(session, text)
        accepted = [pair for pair in self.waiting if pair[1] == text]
        self.waiting = [pair for pair in self.waiting if pair[1] != text]
        for session, text in accepted:
            self.declare(session, text)


@deviant("dead-session-declares")
class DeadSessionDeclares(Server):
    def declare(self, session, text):
        if session not in self.sessions and self.knows(session, text):
            self.accept(session, text)
        else:
            super().declare(session, text)


# A session's declares, one after the other.


@deviant("redeclare-adds")
class RedeclareAdds(Server):
    def accept(self, session, text):
        super().accept(session, union([self.declared.get(session, EMPTY), text]))


@deviant("first-declare-stands")
class FirstDeclareStands(Server):
    def accept(self, session, text):
        if session not in self.declared:
            super().accept(session, text)


@deviant("empty-set-refused")
class EmptySetRefused(Server):
    def knows(self, session, text):
        return text != EMPTY and super().knows(session, text)


@deviant("empty-set-ignored")
class EmptySetIgnored(Server):
    def accept(self, session, text):
        if text != EMPTY or session not in self.declared:
            super().accept(session, text)


@deviant("empty-set-clears")
class EmptySetClears(Server):
    def accept(self, session, text):
        if text == EMPTY:
            self.withdraw_all(session[0])
        super().accept(session, text)


# What is made of the sets of several sessions.


@deviant("empty-union-null")
class EmptyUnionNull(Server):
    def status(self, user):
        carried = super().status(user)
        return None if carried == hash_of(EMPTY) else carried


def combining(name, combine):
    """A server that makes something else of the sets than their union."""
    deviant(name)(type(name, (Server,), {"combined": lambda _self, texts: combine(texts)}))


def intersection(texts):
    sets = [members(text) for text in texts]
    return write(Pairs(pair for pair in sets[0].items() if all(pair[0] in each for each in sets)))


def list_of_hashes(texts):
    different = set(texts)
    return write(sorted(map(hash_of, different))) if len(different) > 1 else texts[0]


def union_unsorted(texts):
    whole = {name: value for text in texts for name, value in members(text).items()}
    return write(Pairs(whole.items()), order=as_uploaded)


combining("last-declared-only", lambda texts: texts[-1])
combining("first-declared-only", lambda texts: texts[0])
combining("ten-sessions", lambda texts: union(texts[:10]))
combining("intersection", intersection)
combining("by-name-only", lambda texts: write(Pairs((name, Pairs()) for name in members(union(texts)))))
combining("concatenated", "".join)
combining("hashes-hashed", list_of_hashes)
combining("union-unsorted", union_unsorted)


@deviant("names-subtracted")
class NamesSubtracted(Server):
    def __init__(self):
        super().__init__()
        self.unions = {}

    def accept(self, session, text):
        super().accept(session, text)
        self.unions.setdefault(session[0], {}).update(members(text))

    def withdraw(self, session, instead=None):
        for name in members(self.declared.get(session, EMPTY)):
            self.unions[session[0]].pop(name, None)
        super().withdraw(session, instead)

    def status(self, user):
        return hash_of(write(Pairs(self.unions[user].items()))) if self.sets_of(user) else None


@deviant("same-set-leaves-together")
class SameSetLeavesTogether(Server):
    def withdraw(self, session, instead=None):
        left = self.declared.get(session)
        super().withdraw(session, instead)
        if left != instead:
            for other in [other for other, text in self.declared.items() if text == left]:
                if other[0] == session[0]:
                    super().withdraw(other)


# Whose sessions count, and what a session is.


@deviant("users-mixed")
class UsersMixed(Server):
    def sets_of(self, user):
        return list(self.declared.values())


@deviant("device-ids-shared")
class DeviceIdsShared(Server):
    def withdraw(self, session, instead=None):
        for other in [other for other in self.declared if other[1] == session[1]]:
            super().withdraw(other)


@deviant("device-ids-folded")
class DeviceIdsFolded(Server):
    def session(self, user, device):
        return user, device and ascii_lower(device)


# Where sessions begin and end.


@deviant("relogin-keeps-set")
class ReloginKeepsSet(Server):
    def login(self, session):
        self.sessions.add(session)


@deviant("login-drops-all")
class LoginDropsAll(Server):
    def login(self, session):
        self.withdraw_all(session[0])
        super().login(session)


@deviant("logout-keeps")
class LogoutKeeps(Server):
    def logout(self, session):
        self.sessions.remove(session)


@deviant("logout-drops-all")
class LogoutDropsAll(Server):
    def logout(self, session):
        self.withdraw_all(session[0])
        super().logout(session)


@deviant("deletion-keeps")
class DeletionKeeps(Server):
    def delete_device(self, _asker, session):
        self.sessions.discard(session)


@deviant("deletion-ends-asker")
class DeletionEndsAsker(Server):
    def delete_device(self, asker, session):
        self.end(asker)


@deviant("deletion-by-id-alone")
class DeletionByIdAlone(Server):
    def delete_device(self, _asker, session):
        for other in [other for other in self.sessions if other[1] == session[1]]:
            self.end(other)


@deviant("logout-all-keeps")
class LogoutAllKeeps(Server):
    def logout_all(self, asker):
        self.sessions -= set(self.sessions_of(asker[0]))


@deviant("logout-all-ends-asker")
class LogoutAllEndsAsker(Server):
    def logout_all(self, asker):
        self.end(asker)


@deviant("logout-all-spares-asker")
class LogoutAllSparesAsker(Server):
    def logout_all(self, asker):
        for session in self.sessions_of(asker[0]):
            if session != asker:
                self.end(session)


# When the status changes.


@deviant("last-hash-stays")
class LastHashStays(Server):
    def __init__(self):
        super().__init__()
        self.carried = {}

    def status(self, user):
        self.carried[user] = super().status(user) or self.carried.get(user)
        return self.carried[user]


@deviant("declare-alone-recomputes")
class DeclareAloneRecomputes(Server):
    def __init__(self):
        super().__init__()
        self.carried = {}

    def accept(self, session, text):
        super().accept(session, text)
        self.carried[session[0]] = super().status(session[0])

    def status(self, user):
        return self.carried.get(user)
