"""presence: what a user's status carries after each step of a history."""

import string

import canonical
from common import Bad, hash_of, invalid, table, valid
from reading import Pairs, read
from writing import write

MISTAKES, mistake = table()
EMPTY = hash_of("{}")


def fold(device):
    return "".join(c.lower() if c in string.ascii_uppercase else c for c in device)


class Server:
    """A homeserver that does what docs/protocol.md says; mistaken ones override one of its methods.

    Sessions are keyed by user and device; a declared set stands with the number of the declare.
    """

    def __init__(self):
        self.sessions = set()
        self.known = {}  # the canonical text of a set to the sessions that uploaded it
        self.declared = {}  # a session to (number, set)
        self.declares = 0
        self.accepted = set()  # users a declare of whom was ever accepted

    def key(self, user, device):
        return user, device

    # Steps.

    def step(self, step):
        user, act = step["user"], step["act"]
        if act == "status":
            return
        session = self.key(user, step["device"])
        if act == "login":
            self.login(session)
        elif act == "declare":
            self.declare(session, self.set_of(step))
        elif session not in self.sessions:
            return
        elif act == "upload":
            self.upload(session, self.set_of(step))
        elif act == "logout":
            self.logout(session)
        elif act == "logout-all":
            self.logout_all(session)
        elif act == "delete-device":
            self.delete(session, self.key(user, step["deleted"]))

    @staticmethod
    def set_of(step):
        return dict(canonical.as_set(read(step["set"].encode())))

    def login(self, session):
        self.withdraw(session)
        self.sessions.add(session)

    def upload(self, session, value):
        self.known.setdefault(text_of(value), set()).add(session)

    def declare(self, session, value):
        if session not in self.sessions:
            return
        if self.knows(session, value):
            self.accept(session, value)
        else:
            self.refuse(session, value)

    def knows(self, _session, value):
        return bool(self.known.get(text_of(value)))

    def refuse(self, session, value):
        pass

    def accept(self, session, value):
        self.declares += 1
        self.accepted.add(session[0])
        self.put(session, value)

    def put(self, session, value):
        self.declared[session] = (self.declares, value)

    def logout(self, session):
        self.end(session)

    def logout_all(self, session):
        for each in self.of_user(session[0]):
            self.end(each)

    def delete(self, session, deleted):
        self.end(deleted)

    def of_user(self, user):
        return [each for each in self.sessions if each[0] == user]

    def end(self, session):
        if session in self.sessions:
            self.sessions.discard(session)
            self.withdraw(session)

    def withdraw(self, session):
        self.declared.pop(session, None)

    # Looks.

    def sets(self, user):
        """The declared sets that count for a user, in the order of the last accepted declares."""
        mine = [declared for session, declared in self.declared.items() if session[0] == user]
        return [value for _, value in sorted(mine, key=lambda declared: declared[0])]

    def status(self, user):
        sets = self.sets(user)
        return self.hash(sets) if sets else None

    def hash(self, sets):
        return hash_of(text_of(union_of(sets)))

    def reason(self, user):
        """Why a status carries nothing."""
        return bool(self.of_user(user)), user in self.accepted


def text_of(value):
    return write(Pairs(value.items()))


def union_of(sets):
    whole = {}
    for each in sets:
        whole.update(each)
    return whole


def solve(case):
    server = Server()
    statuses, reasons = [], []
    try:
        for step in case["steps"]:
            server.step(step)
            statuses.append(server.status(step["user"]))
            reasons.append(None if statuses[-1] else server.reason(step["user"]))
    except Bad:
        return invalid("not-a-set")
    solution = valid({"statuses": statuses})
    different = list(dict.fromkeys(reason for reason in reasons if reason is not None))
    for choice in range(1, 2 ** len(different)):
        carries = {reason for i, reason in enumerate(different) if choice >> i & 1}
        solution.also.append([EMPTY if reason in carries else status for status, reason in zip(statuses, reasons)])
    return solution


def mistaken(name):
    """A mistaken server: a class that overrides something of Server."""

    def add(server_class):
        def answer(case):
            server, statuses = server_class(), []
            for step in case["steps"]:
                server.step(step)
                statuses.append(server.status(step["user"]))
            return statuses

        mistake(name)(answer)
        return server_class

    return add


@mistaken("upload-declares")
class UploadDeclares(Server):
    def upload(self, session, value):
        super().upload(session, value)
        self.accept(session, value)


@mistaken("known-per-user")
class KnownPerUser(Server):
    def knows(self, session, value):
        return any(by[0] == session[0] for by in self.known.get(text_of(value), ()))


@mistaken("known-per-session")
class KnownPerSession(Server):
    def knows(self, session, value):
        return session in self.known.get(text_of(value), ())


@mistaken("known-once")
class KnownOnce(Server):
    def accept(self, session, value):
        super().accept(session, value)
        del self.known[text_of(value)]


@mistaken("forgotten-with-session")
class ForgottenWithSession(Server):
    def end(self, session):
        super().end(session)
        for uploaders in self.known.values():
            uploaders.discard(session)


@mistaken("refused-declare-counts")
class RefusedDeclareCounts(Server):
    def refuse(self, session, value):
        self.accept(session, value)


@mistaken("refused-declare-clears")
class RefusedDeclareClears(Server):
    def refuse(self, session, value):
        self.withdraw(session)


@mistaken("refused-declare-waits")
class RefusedDeclareWaits(Server):
    def __init__(self):
        super().__init__()
        self.waiting = []

    def refuse(self, session, value):
        self.waiting.append((session, value))

    def upload(self, session, value):
        super().upload(session, value)
        for waiting in [each for each in self.waiting if text_of(each[1]) == text_of(value)]:
            self.waiting.remove(waiting)
            self.declare(*waiting)


@mistaken("redeclare-adds")
class RedeclareAdds(Server):
    def put(self, session, value):
        before = self.declared.get(session, (0, {}))[1]
        super().put(session, before | value)


@mistaken("first-declare-stands")
class FirstDeclareStands(Server):
    def accept(self, session, value):
        if session not in self.declared:
            super().accept(session, value)


@mistaken("dead-session-declares")
class DeadSessionDeclares(Server):
    def declare(self, session, value):
        if self.knows(session, value):
            self.accept(session, value)


@mistaken("empty-set-refused")
class EmptySetRefused(Server):
    def knows(self, session, value):
        return value != {} and super().knows(session, value)


@mistaken("empty-set-ignored")
class EmptySetIgnored(Server):
    def accept(self, session, value):
        if value or session not in self.declared:
            super().accept(session, value)


@mistaken("empty-set-clears")
class EmptySetClears(Server):
    def accept(self, session, value):
        if not value:
            for each in list(self.declared):
                if each[0] == session[0]:
                    self.withdraw(each)
        super().accept(session, value)


@mistaken("empty-union-null")
class EmptyUnionNull(Server):
    def status(self, user):
        status = super().status(user)
        return None if status == EMPTY else status


@mistaken("last-declared-only")
class LastDeclaredOnly(Server):
    def sets(self, user):
        return super().sets(user)[-1:]


@mistaken("first-declared-only")
class FirstDeclaredOnly(Server):
    def sets(self, user):
        return super().sets(user)[:1]


@mistaken("intersection")
class Intersection(Server):
    def hash(self, sets):
        whole = union_of(sets)
        return hash_of(text_of({name: whole[name] for name in whole if all(name in each for each in sets)}))


@mistaken("ten-sessions")
class TenSessions(Server):
    def sets(self, user):
        return super().sets(user)[:10]


@mistaken("by-name-only")
class ByNameOnly(Server):
    def hash(self, sets):
        return hash_of(text_of({name: Pairs() for name in union_of(sets)}))


@mistaken("concatenated")
class Concatenated(Server):
    def hash(self, sets):
        return hash_of("".join(map(text_of, sets)))


@mistaken("hashes-hashed")
class HashesHashed(Server):
    def hash(self, sets):
        hashes = sorted({hash_of(text_of(each)) for each in sets})
        return hash_of(write(hashes)) if len(hashes) > 1 else hashes[0]


@mistaken("union-unsorted")
class UnionUnsorted(Server):
    def hash(self, sets):
        whole = {}
        for each in sets:
            for name in sorted(each):
                whole.setdefault(name, each[name])
        return hash_of("{" + ",".join(f"{write(name)}:{write(whole[name])}" for name in whole) + "}")


@mistaken("names-subtracted")
class NamesSubtracted(Server):
    def __init__(self):
        super().__init__()
        self.kept = {}

    def withdraw(self, session):
        if session in self.declared:
            for name in self.declared[session][1]:
                self.kept[session[0]].pop(name, None)
        super().withdraw(session)

    def put(self, session, value):
        self.withdraw(session)
        self.kept.setdefault(session[0], {}).update(value)
        super().put(session, value)

    def status(self, user):
        return hash_of(text_of(self.kept[user])) if self.sets(user) else None


@mistaken("same-set-leaves-together")
class SameSetLeavesTogether(Server):
    def withdraw(self, session):
        if session in self.declared:
            gone = text_of(self.declared[session][1])
            for each in list(self.declared):
                if each[0] == session[0] and text_of(self.declared[each][1]) == gone:
                    super().withdraw(each)

    def put(self, session, value):
        self.withdraw(session)
        super().put(session, value)


@mistaken("users-mixed")
class UsersMixed(Server):
    def sets(self, user):
        return [value for _, value in sorted(self.declared.values(), key=lambda declared: declared[0])]


@mistaken("device-ids-shared")
class DeviceIdsShared(Server):
    def withdraw(self, session):
        for each in list(self.declared):
            if each[1] == session[1]:
                super().withdraw(each)

    def put(self, session, value):
        self.withdraw(session)
        super().put(session, value)


@mistaken("device-ids-folded")
class DeviceIdsFolded(Server):
    def key(self, user, device):
        return user, fold(device)


@mistaken("relogin-keeps-set")
class ReloginKeepsSet(Server):
    def login(self, session):
        if session not in self.sessions:
            super().login(session)


@mistaken("login-drops-all")
class LoginDropsAll(Server):
    def login(self, session):
        for each in list(self.declared):
            if each[0] == session[0]:
                self.withdraw(each)
        super().login(session)


@mistaken("logout-keeps")
class LogoutKeeps(Server):
    def logout(self, session):
        self.sessions.discard(session)


@mistaken("logout-drops-all")
class LogoutDropsAll(Server):
    def logout(self, session):
        super().logout(session)
        for each in self.of_user(session[0]):
            self.withdraw(each)


@mistaken("deletion-keeps")
class DeletionKeeps(Server):
    def delete(self, session, deleted):
        self.sessions.discard(deleted)


@mistaken("deletion-ends-asker")
class DeletionEndsAsker(Server):
    def delete(self, session, deleted):
        self.end(session)


@mistaken("deletion-by-id-alone")
class DeletionByIdAlone(Server):
    def delete(self, session, deleted):
        for each in list(self.sessions):
            if each[1] == deleted[1]:
                self.end(each)


@mistaken("logout-all-keeps")
class LogoutAllKeeps(Server):
    def logout_all(self, session):
        self.sessions -= set(self.of_user(session[0]))


@mistaken("logout-all-ends-asker")
class LogoutAllEndsAsker(Server):
    def logout_all(self, session):
        self.end(session)


@mistaken("logout-all-spares-asker")
class LogoutAllSparesAsker(Server):
    def logout_all(self, session):
        for each in self.of_user(session[0]):
            if each != session:
                self.end(each)


class Remembering(Server):
    def __init__(self):
        super().__init__()
        self.carried = {}

    def step(self, step):
        super().step(step)
        for user in {session[0] for session in self.declared}:
            self.carried[user] = super().status(user)


@mistaken("last-hash-stays")
class LastHashStays(Remembering):
    def status(self, user):
        return super().status(user) or self.carried.get(user)


@mistaken("declare-alone-recomputes")
class DeclareAloneRecomputes(Server):
    def __init__(self):
        super().__init__()
        self.formed = {}

    def accept(self, session, value):
        super().accept(session, value)
        self.formed[session[0]] = super().status(session[0])

    def status(self, user):
        return self.formed.get(user)
