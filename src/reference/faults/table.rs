//! The faults, one row each: data, and the macro that makes it a type.

/// Makes the enum and its table from one row a fault: `breaks` what it is, `with` what fails along with
/// that, `because` of which, and what does so `at times`, as requests happen to meet; `found in histories`
/// are those that only the properties find.
macro_rules! faults {
    ($($fault:ident = $id:literal breaks [$($broken:literal),+] of $sentence:literal: $summary:literal
        $(, with [$($along:literal),+] because $because:expr)*
        $(, at times with [$($at_times:literal),+] because $chance:expr)* $(, found in $histories:ident)?;)+) => {
        /// A deviation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $(#[doc = concat!("`", $id, "`: ", $summary, ".")] $fault,)+
        }

        /// Every fault, in the order of the protocol's areas.
        pub(super) const TABLE: &[Row] = &[$(Row {
            fault: Fault::$fault,
            id: $id,
            summary: $summary,
            breaks: &[$($broken),+],
            collateral: &[$(Collateral { requirements: &[$($along),+], because: $because }),*],
            at_times: &[$(Collateral { requirements: &[$($at_times),+], because: $chance }),*],
            sentence: $sentence,
            takes_a_history: faults!(@found $($histories)?),
        },)+];
    };
    (@found) => { false };
    (@found histories) => { true };
}

/// What is said of a fault.
pub(super) struct Row {
    pub(super) fault: Fault,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) breaks: &'static [&'static str],
    pub(super) collateral: &'static [Collateral],
    pub(super) at_times: &'static [Collateral],
    pub(super) sentence: &'static str,
    pub(super) takes_a_history: bool,
}

/// Requirements that a fault does not break, and that fail with it all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collateral {
    /// Their ids.
    pub requirements: &'static [&'static str],
    /// Why no suite could tell the difference, or need not.
    pub because: &'static str,
}

/// Why a search names now this requirement and now that.
const HISTORY: &str =
    "a search ends with the first history that fails, and what that breaks hangs on the history";

faults! {
    HashBareString = "hash-bare-string" breaks ["hash.shape"] of "S3":
        r"answers and presence carry the hash as a bare string, not an object";
    HashOtherKey = "hash-other-key" breaks ["hash.shape"] of "S3":
        r"the hash rides under `sha-256` instead of `sha256`";
    HashExtraKeysRefused = "hash-extra-keys-refused" breaks ["hash.shape"] of "S3":
        r"a declaration that names a second algorithm beside `sha256` is refused";
    HashPadded = "hash-padded" breaks ["hash.unpadded-base64"] of "S3":
        r"hashes are spelled with Base64 padding";
    HashUrlSafe = "hash-url-safe" breaks ["hash.unpadded-base64"] of "S3":
        r"hashes are spelled in the URL-safe Base64 alphabet";
    HashHex = "hash-hex" breaks ["hash.unpadded-base64"] of "S3":
        r"hashes are spelled in hexadecimal";
    HashPaddedInPresence = "hash-padded-in-presence" breaks ["hash.unpadded-base64"] of "C4":
        r"the hash is padded in presence alone, which another library writes";
    HashNestedUnsorted = "hash-nested-unsorted" breaks ["hash.sha256-canonical-json"] of "S3":
        r"only the top level is sorted before hashing; parameters keep the order of the upload",
        with ["hash.order-free"] because
            r"what is hashed keeps the order in which parameters came";
    HashUnsorted = "hash-unsorted" breaks ["hash.order-free", "hash.sha256-canonical-json"] of "S3":
        r"keys are hashed in the order of the upload";
    HashSpaces = "hash-spaces" breaks ["hash.sha256-canonical-json"] of "S3":
        r"a space follows every comma and colon in what is hashed, as Python writes JSON by default";
    HashEscapesNonAscii = "hash-escapes-non-ascii" breaks ["hash.sha256-canonical-json"] of "S3":
        r"what is hashed spells other than ASCII as \u escapes, as Python writes JSON by default";
    HashEscapesSlash = "hash-escapes-slash" breaks ["hash.sha256-canonical-json"] of "S3":
        r"what is hashed spells `/` as `\/`, as PHP writes JSON by default";
    HashEscapesHtml = "hash-escapes-html" breaks ["hash.sha256-canonical-json"] of "S3":
        r"what is hashed spells `<`, `>` and `&` as \u escapes, as Go writes JSON by default";
    HashLongEscapes = "hash-long-escapes" breaks ["hash.sha256-canonical-json"] of "S3":
        r"what is hashed spells control characters as \u escapes where a short form exists";
    HashNewline = "hash-newline" breaks ["hash.sha256-canonical-json"] of "S3":
        r"a line feed at the end of the JSON text is hashed, too";
    HashUtf16Order = "hash-utf16-order" breaks ["hash.code-point-order"] of "S3":
        r"keys sort by UTF-16 code unit, as in JavaScript and Java",
        with ["hash.sha256-canonical-json"] because
            r"Canonical JSON sorts keys by code point, and golden sets hold keys that show it";
    HashBmpCollation = "hash-bmp-collation" breaks ["hash.code-point-order"] of "S3":
        r"keys sort by a database collation in which every character beyond the BMP weighs as much as U+FFFD",
        with ["hash.sha256-canonical-json"] because
            r"Canonical JSON sorts keys by code point, and golden sets hold keys that show it";
    HashNfc = "hash-nfc" breaks ["hash.no-normalisation"] of "S3":
        r"names are normalised (NFC) before hashing",
        with ["hash.sha256-canonical-json"] because
            r"Canonical JSON leaves strings as they are, and golden sets hold keys that show it";
    HashCollationMerges = "hash-collation-merges" breaks ["hash.no-normalisation"] of "S3":
        r"keys that a database collation takes for the same are one key: of two spellings of a letter the first stays",
        with ["hash.sha256-canonical-json"] because
            r"Canonical JSON leaves strings as they are, and golden sets hold keys that show it";
    HashUploadedBytes = "hash-uploaded-bytes" breaks ["hash.order-free", "hash.sha256-canonical-json"] of "C7":
        r"the bytes of the upload are hashed as they came";
    HashVolatile = "hash-volatile" breaks ["hash.stable", "gating.same-entitlement"] of "S3":
        r"the server's own set holds a counter, so its hash changes with every question";
    ServerHashMapOrder = "server-hash-map-order" breaks ["hash.stable", "server.set"] of "S3":
        r"the server's own set is hashed in the order of a hash map, which is another in each worker that sessions are spread over";
    AuthOptional = "auth-optional" breaks ["auth.required"] of "S2":
        r"a request without a token is taken for the first user's, as in a forgotten development mode";
    AuthMissingTokenForbidden = "auth-missing-token-forbidden" breaks ["auth.required"] of "S2":
        r"a missing token is answered with 403 `M_FORBIDDEN`";
    AuthMissingTokenUnknown = "auth-missing-token-unknown" breaks ["auth.required"] of "S2":
        r"a missing token is answered like a wrong one";
    AuthAfterValidation = "auth-after-validation" breaks ["auth.required"] of "S2":
        r"path and body are judged before the token";
    AuthDeadTokenLives = "auth-dead-token-lives" breaks ["auth.dead-token"] of "C3":
        r"tokens are cached, and outlive the logout";
    AuthDeletionKeepsToken = "auth-deletion-keeps-token" breaks ["auth.dead-token"] of "C3":
        r"deleting a device leaves its token alive";
    AuthDeadTokenMissing = "auth-dead-token-missing" breaks ["auth.dead-token"] of "C3":
        r"a dead token is answered like a missing one";
    AuthReplacedTokenLives = "auth-replaced-token-lives" breaks ["auth.replaced-token"] of "C3":
        r"a new login on a device leaves the old token alive";
    ServerHashWantsLocalpart = "server-hash-wants-localpart" breaks ["server.hash"] of "S2":
        r"the user is looked up by localpart, so a full user ID is not found";
    ServerHashNull = "server-hash-null" breaks ["server.hash"] of "S3":
        r"the hash is computed lazily, and is null until it has been";
    ServerSetList = "server-set-list" breaks ["server.set"] of "S5":
        r"the set is served as an array of names";
    ServerSetWrapped = "server-set-wrapped" breaks ["server.set"] of "S5":
        r"the set is served inside another object";
    ServerSetAnnotated = "server-set-annotated" breaks ["server.set"] of "S5":
        r"a key with the server's version is added to the served set";
    ServerSetStaleHash = "server-set-stale-hash" breaks ["server.set"] of "S4":
        r"the hash is computed before the last capability is added";
    ServerUnknownEmpty = "server-unknown-empty" breaks ["server.unknown-hash"] of "S4":
        r"an unknown hash is answered with the empty set";
    ServerSetAnyHash = "server-set-any-hash" breaks ["server.unknown-hash"] of "S4":
        r"the set is served whatever the hash";
    ServerUnknownCrash = "server-unknown-crash" breaks ["server.unknown-hash"] of "S4":
        r"an unknown hash ends in an internal error";
    ServerUnknown400 = "server-unknown-400" breaks ["server.unknown-hash-404"] of "S4":
        r"an unknown hash is answered with 400";
    HashLookupByPrefix = "hash-lookup-by-prefix" breaks ["server.malformed-hash", "resolve.malformed-hash"] of "S4":
        r"hashes are looked up by prefix, as people abbreviate commits";
    HashLookupIgnoresCase = "hash-lookup-ignores-case" breaks ["server.unknown-hash", "resolve.unknown"] of "S4":
        r"hashes are compared without regard to case, as the database's collation has it";
    PathDecodedTwice = "path-decoded-twice" breaks ["server.malformed-hash", "upload.malformed-hash", "resolve.malformed-hash"] of "S4":
        r"path variables are decoded twice: by the router and by the handler";
    MalformedHashCrash = "malformed-hash-crash" breaks ["server.malformed-hash", "upload.malformed-hash", "resolve.malformed-hash"] of "S4":
        r"a hash that cannot be decoded ends in an internal error";
    MalformedHashPlainText = "malformed-hash-plain-text" breaks ["server.malformed-hash", "upload.malformed-hash", "resolve.malformed-hash"] of "S4":
        r"a malformed hash is answered by the framework, in plain text";
    ServerNameFreeForm = "server-name-free-form" breaks ["server.identifier-grammar"] of "S5":
        r"the server publishes a name outside the identifier grammar";
    ServerOtherUserServed = "server-other-user-served" breaks ["server.other-user"] of "S2":
        r"anybody's server hash is told to anybody";
    GatingOff = "gating-off" breaks ["gating.differs", "gating.every-entitled"] of "S2":
        r"grants are configured and never looked at";
    GatingEverybody = "gating-everybody" breaks ["gating.differs", "gating.no-leak"] of "S2":
        r"the gated capability is offered to everybody";
    GatingOneSeat = "gating-one-seat" breaks ["gating.every-entitled"] of "S2":
        r"a grant is used up by the first user who has it";
    GatingCachedFirst = "gating-cached-first" breaks ["gating.differs", "gating.every-entitled"] of "S2":
        r"the first answer is cached for every user";
    GatingCachedBriefly = "gating-cached-briefly" breaks ["gating.differs", "gating.no-leak"] of "S2":
        r"answers are cached for a moment, without the user in the key",
        at times with ["gating.every-entitled", "gating.same-entitlement"] because
            r"whose answer is in the cache depends on who asked last";
    GatingLookAlike = "gating-look-alike" breaks ["gating.no-leak"] of "S2":
        r"entitlement is a search within the localpart, so look-alike names have it";
    GatingPerUser = "gating-per-user" breaks ["gating.same-entitlement"] of "S2":
        r"every user's set names the user, so no two have the same hash";
    DeclareAnything = "declare-anything" breaks ["upload.refuse-unknown"] of "C6":
        r"any hash is accepted, and nothing comes of one that is unknown";
    DeclareAnythingLater = "declare-anything-later" breaks ["upload.refuse-unknown"] of "C6":
        r"unknown hashes are refused on first sign-up alone: whoever has uploaded once is trusted";
    RefusalWith200 = "refusal-with-200" breaks ["upload.refuse-unknown", "upload.refusal-as-bound"] of "C6":
        r"the refusal is an error body under status 200",
        with ["upload.refusal-recognisable"] because
            r"a client recognises a refusal by its 4xx, and this has none";
    RefusalUnauthorized = "refusal-unauthorized" breaks ["upload.refusal-recognisable", "upload.refusal-as-bound"] of "C6":
        r"the refusal is 401 `M_UNAUTHORIZED`, on which a client logs in anew";
    RefusalUnrecognized = "refusal-unrecognized" breaks ["upload.refusal-recognisable", "upload.refusal-as-bound"] of "C6":
        r"the refusal is 404 `M_UNRECOGNIZED`, as if the operation did not exist";
    RefusalAsLimit = "refusal-as-limit" breaks ["upload.refusal-recognisable", "upload.refusal-as-bound"] of "C6":
        r"the refusal bears the errcode of rate limits";
    RefusalAsBadBody = "refusal-as-bad-body" breaks ["upload.refusal-recognisable", "upload.refusal-as-bound"] of "C6":
        r"the refusal is the answer to a declaration without a hash";
    RefusalForbidden = "refusal-forbidden" breaks ["upload.refusal-as-bound"] of "C6":
        r"the refusal is 403 `M_FORBIDDEN`";
    RefusalWithdraws = "refusal-withdraws" breaks ["upload.refusal-keeps-previous"] of "C6":
        r"a refused declaration withdraws the set in force";
    RefusalCached = "refusal-cached" breaks ["upload.accept-after-upload", "upload.no-pinning"] of "C8":
        r"a hash that was refused once stays refused";
    UploadKnownLate = "upload-known-late" breaks ["upload.accept-after-upload"] of "C8":
        r"an uploaded set is known two seconds later, after a queue";
    KnownPerSession = "known-per-session" breaks ["upload.known-hash"] of "C6":
        r"an uploaded set is known to the uploading session alone",
        with ["upload.known-from-others"] because r"what one session alone knows no other user knows, and ready tokens give no second session to tell the two apart";
    KnownOnce = "known-once" breaks ["upload.known-hash"] of "C6":
        r"declaring a set uses its upload up";
    KnownUntilLogout = "known-until-logout" breaks ["upload.known-after-logout"] of "C6":
        r"a session's uploads go with it";
    KnownPerUser = "known-per-user" breaks ["upload.known-from-others"] of "C6":
        r"an uploaded set is known to the uploading user alone";
    UploadUnchecked = "upload-unchecked" breaks ["upload.mismatch-refused", "upload.mismatch-not-stored"] of "C7":
        r"an upload is stored under whatever hash it claims";
    UploadCheckIgnoresCase = "upload-check-ignores-case" breaks ["upload.mismatch-refused"] of "C7":
        r"claim and hash are compared without regard to case";
    UploadCheckByPrefix = "upload-check-by-prefix" breaks ["upload.mismatch-refused"] of "C7":
        r"the first eight characters of claim and hash are compared";
    UploadMismatchSilent = "upload-mismatch-silent" breaks ["upload.mismatch-refused"] of "C7":
        r"a mismatched upload answers 200 and is stored under its true hash";
    UploadStoredBeforeCheck = "upload-stored-before-check" breaks ["upload.mismatch-not-stored"] of "C7":
        r"an upload is stored under its claim first and checked then";
    UploadFailurePins = "upload-failure-pins" breaks ["upload.no-pinning"] of "C7":
        r"a hash whose upload failed once takes no other";
    LookupFailurePins = "lookup-failure-pins" breaks ["resolve.unknown", "upload.no-pinning"] of "C9":
        r"a hash that was looked up in vain stays unknown for ever";
    RefusalRemembered = "refusal-remembered" breaks ["upload.known-hash"] of "C6":
        r"a session that was refused a hash is refused it until it uploads the set itself, whoever else has",
        at times with ["upload.accept-after-upload", "upload.known-after-logout", "upload.known-from-others"] because HISTORY,
        found in histories;
    BadUploadForgets = "bad-upload-forgets" breaks ["upload.known-hash"] of "C7":
        r"an upload that fails has thrown away what its user knew under its hash",
        at times with ["upload.accept-after-upload", "upload.known-after-logout", "upload.known-from-others"] because HISTORY,
        found in histories;
    UploadTwiceConflict = "upload-twice-conflict" breaks ["upload.idempotent"] of "C7":
        r"uploading a set again is a conflict";
    UploadAgainWithdraws = "upload-again-withdraws" breaks ["upload.idempotent"] of "C7":
        r"uploading a set again replaces the row, and with it every declaration of it";
    UploadDeclares = "upload-declares" breaks ["upload.publishes-nothing"] of "C7":
        r"an upload is a declaration, too";
    BadJsonCrash = "bad-json-crash" breaks ["upload.bad-input"] of "C7":
        r"a body that is not JSON ends in an internal error";
    UploadTakesList = "upload-takes-list" breaks ["upload.bad-input"] of "C7":
        r"an array of names is a set, too";
    UploadTakesFloats = "upload-takes-floats" breaks ["upload.bad-input"] of "C7":
        r"numbers that are no integers are taken";
    UploadTakesNan = "upload-takes-nan" breaks ["upload.bad-input"] of "C7":
        r"`NaN` and `Infinity` are numbers, as they are to lenient parsers";
    UploadReplacesSurrogates = "upload-replaces-surrogates" breaks ["upload.bad-input"] of "C7":
        r"lone surrogates and bad UTF-8 are replaced, and the claim believed";
    UploadIgnoresTrailingBytes = "upload-ignores-trailing-bytes" breaks ["upload.bad-input"] of "C7":
        r"reading ends with the first JSON value";
    DuplicateKeysServedRaw = "duplicate-keys-served-raw" breaks ["upload.duplicate-keys"] of "C7":
        r"the bytes of the upload are served, duplicate keys and all";
    DuplicateKeysTwoParsers = "duplicate-keys-two-parsers" breaks ["upload.duplicate-keys"] of "C7":
        r"the parser that checks lets the first of two keys win, the one that stores the last";
    UploadTakesAnyValue = "upload-takes-any-value" breaks ["upload.values-are-objects"] of "S5":
        r"values need not be objects";
    UploadLimit4k = "upload-limit-4k" breaks ["upload.size-accepted"] of "C7":
        r"sets over 4 KiB are refused";
    TooLargeAs400 = "too-large-as-400" breaks ["upload.too-large"] of "C7":
        r"an oversized upload is answered with 400";
    TooLargeAccepted = "too-large-accepted" breaks ["upload.too-large"] of "C7":
        r"the limit is announced and not kept";
    TooLargeEndsSession = "too-large-ends-session" breaks ["upload.too-large-harmless"] of "C7":
        r"an oversized upload is taken for an attack, and ends the session";
    TooLargeWithdraws = "too-large-withdraws" breaks ["upload.too-large-harmless"] of "C7":
        r"an oversized upload has withdrawn the session's set before it is refused";
    DeclareAnyAlgorithm = "declare-any-algorithm" breaks ["upload.other-algorithm"] of "S3":
        r"a hash is taken from whichever algorithm comes first";
    DeclareWithoutHash = "declare-without-hash" breaks ["upload.other-algorithm"] of "S3":
        r"a declaration without a `sha256` is accepted, and nothing comes of it";
    UnionHoldsServerSet = "union-holds-server-set" breaks ["union.single", "union.of-all"] of "C3":
        r"the server's own capabilities are part of the union";
    UnionOfOwnNames = "union-of-own-names" breaks ["union.single", "union.of-all"] of "C3":
        r"of what clients declare, only the capabilities that the server offers itself are counted";
    UnionOneLate = "union-one-late" breaks ["union.of-all"] of "C3":
        r"beside another session's, a declaration is written after the union is computed, which catches up with the next";
    UnionOfPolling = "union-of-polling" breaks ["presence.status", "presence.sync"] of "C3":
        r"a session counts as connected once it has synced, not once it has declared";
    UnionHashOfHashes = "union-hash-of-hashes" breaks ["union.of-all"] of "C3":
        r"several sessions' hashes are hashed, not the union of their sets";
    UnionLastDeclared = "union-last-declared" breaks ["union.of-all"] of "C3":
        r"the last declared set stands for all";
    UnionIntersection = "union-intersection" breaks ["union.of-all"] of "C3":
        r"what all sessions have in common is published";
    UnionOfTwo = "union-of-two" breaks ["union.of-all"] of "C3":
        r"a session beyond the second is not looked at";
    UnionInOrderOfDeclaring = "union-in-order-of-declaring" breaks ["union.order-free"] of "C3":
        r"the members are hashed in the order of declaring";
    LoginStartsOver = "login-starts-over" breaks ["union.order-free", "union.of-all"] of "C3":
        r"a login starts the union over, and what was declared before it is gone";
    UnionCountsTwice = "union-counts-twice" breaks ["union.idempotent"] of "C3":
        r"a capability that two sessions have is hashed twice";
    UnionLeaveTakesShared = "union-leave-takes-shared" breaks ["union.idempotent"] of "C3":
        r"a leaving session takes the capabilities along that others have, too";
    RedeclareMerges = "redeclare-merges" breaks ["union.redeclare-replaces"] of "C3":
        r"a session's new set is added to its old one";
    RedeclareIgnored = "redeclare-ignored" breaks ["union.redeclare-replaces"] of "C3":
        r"a session's first set stands";
    LogoutKeepsSet = "logout-keeps-set" breaks ["union.leave", "presence.last-leaves"] of "C3":
        r"logging out does not withdraw the set";
    LogoutAllKeepsSets = "logout-all-keeps-sets" breaks ["union.leave", "presence.last-leaves"] of "C3":
        r"logging out everywhere does not withdraw the sets";
    DeletionKeepsSet = "deletion-keeps-set" breaks ["union.leave"] of "C3":
        r"deleting a device does not withdraw its set";
    DeletionOfManyWithdrawsOne = "deletion-of-many-withdraws-one" breaks ["union.leave"] of "C3":
        r"of several deleted devices only the first one's set is withdrawn";
    LogoutWithdrawsAll = "logout-withdraws-all" breaks ["union.leave"] of "C3":
        r"logging out withdraws the sets of all sessions";
    ReloginInherits = "relogin-inherits" breaks ["union.relogin"] of "C3":
        r"a new login on a device inherits its set";
    ReloginUnnoticed = "relogin-unnoticed" breaks ["union.relogin"] of "C3":
        r"a new login on a device replaces its row, and the union is not computed anew";
    ThirdLogoutUnnoticed = "third-logout-unnoticed" breaks ["union.leave"] of "C3":
        r"the third session of a user that logs out leaves its set behind",
        at times with ["union.relogin", "presence.last-leaves"] because HISTORY,
        found in histories;
    DeviceRevivesSet = "device-revives-set" breaks ["union.relogin"] of "C3":
        r"what a session had declared when it logged out counts again as soon as somebody logs in on its device",
        at times with ["presence.last-leaves", "union.leave"] because HISTORY,
        found in histories;
    SharedSetCountedToTwo = "shared-set-counted-to-two" breaks ["union.idempotent"] of "C3":
        r"of the sessions with one set two are counted: when two leave it is gone, whoever else has it",
        at times with ["union.leave", "union.of-all", "union.redeclare-replaces", "union.relogin", "union.single", "union.empty-set", "presence.status"] because HISTORY,
        found in histories;
    DeclaresAtOnceLoseOne = "declares-at-once-lose-one" breaks ["union.of-all"] of "C3":
        r"a declaration reads the other sessions' sets, and writes the union later: what was declared meanwhile is lost",
        at times with ["union.redeclare-replaces", "union.leave", "union.idempotent", "union.empty-set", "presence.status"] because HISTORY,
        found in histories;
    DeclareOutlivesLogout = "declare-outlives-logout" breaks ["union.leave"] of "C3":
        r"a declaration that is under way while its session ends counts for ever",
        at times with ["presence.last-leaves", "union.relogin", "union.of-all"] because HISTORY,
        found in histories;
    UnionByDeviceId = "union-by-device-id" breaks ["union.per-user"] of "C3":
        r"sessions are kept by device ID alone, so another user's device counts";
    LogoutByDeviceId = "logout-by-device-id" breaks ["union.per-user"] of "C3":
        r"a logout withdraws sets by device ID alone, and so other users' as well";
    EmptySetRefused = "empty-set-refused" breaks ["union.empty-set"] of "C3":
        r"an empty set is refused as missing";
    EmptySetIgnored = "empty-set-ignored" breaks ["union.empty-set"] of "C3":
        r"declaring the empty set changes nothing";
    UndeclaredHasDefault = "undeclared-has-default" breaks ["union.undeclared"] of "C3":
        r"a session that declared nothing counts as having a default set";
    UndeclaredHoldsBack = "undeclared-holds-back" breaks ["union.undeclared"] of "C3":
        r"there is no union until every session has declared";
    UnionConflictLastWins = "union-conflict-last-wins" breaks ["union.conflict"] of "C3":
        r"of two parameters the one declared last stands";
    UnionConflictDropped = "union-conflict-dropped" breaks ["union.conflict"] of "C3":
        r"a capability with conflicting parameters is left out of the union";
    UnionUnresolvable = "union-unresolvable" breaks ["union.resolvable"] of "C9":
        r"only uploaded sets resolve, and nobody uploaded the union";
    UnionResolvesToPart = "union-resolves-to-part" breaks ["union.resolvable", "resolve.verifies"] of "C9":
        r"the hash of the union resolves to the set that was declared last";
    UnionLargeUnresolvable = "union-large-unresolvable" breaks ["union.resolvable-large"] of "C9":
        r"a union larger than the largest upload does not resolve";
    UnionLargeCutOff = "union-large-cut-off" breaks ["union.resolvable-large"] of "C9":
        r"a union longer than its column is cut off where the column ends";
    StatusWithoutHash = "status-without-hash" breaks ["presence.status"] of "C4":
        r"the status request does not carry the hash";
    StatusOneLate = "status-one-late" breaks ["presence.status"] of "C4":
        r"the status request carries the hash before the last change",
        with ["union.redeclare-replaces"] because
            r"while one client is alone, a status that lags by a change and a first set that stands look the same";
    StatusBehind = "status-behind" breaks ["presence.read-your-write"] of "C4":
        r"for a fifth of a second after a change the status request carries the hash before it, from a replica";
    SyncWithoutHash = "sync-without-hash" breaks ["presence.sync"] of "C4":
        r"presence in `/sync` does not carry the hash";
    SyncInitialWithoutHash = "sync-initial-without-hash" breaks ["presence.sync"] of "C5":
        r"presence in an initial `/sync` does not carry the hash";
    SyncIncrementalWithoutHash = "sync-incremental-without-hash" breaks ["presence.sync", "presence.change"] of "C5":
        r"presence in an incremental `/sync` does not carry the hash";
    LongPollLosesChange = "long-poll-loses-change" breaks ["presence.sync"] of "C5":
        r"a waiting `/sync` wakes and loses what it woke for";
    OfflineHidesHash = "offline-hides-hash" breaks ["presence.status", "presence.sync"] of "C5":
        r"users who are offline have no hash";
    ChangePublishedOnce = "change-published-once" breaks ["presence.change"] of "C5":
        r"the hash is published on the first declaration alone";
    ChangeUnpublishedOnLeave = "change-unpublished-on-leave" breaks ["presence.change", "presence.last-leaves"] of "C5":
        r"a session's leaving is not published";
    ChangeBackUntold = "change-back-untold" breaks ["presence.change"] of "C5":
        r"a union that has been in force before is not told again",
        at times with ["presence.sync", "presence.last-leaves"] because HISTORY,
        found in histories;
    RejoinUntold = "rejoin-untold" breaks ["presence.new-sharer"] of "C5":
        r"whoever leaves and comes to share a room again is taken for somebody who has been there all the while",
        at times with ["presence.change", "presence.sync", "presence.last-leaves"] because HISTORY,
        found in histories;
    NewSharerWaits = "new-sharer-waits" breaks ["presence.new-sharer"] of "C5":
        r"whoever begins to share a room learns the next change, not the current value";
    NewSharerOneSided = "new-sharer-one-sided" breaks ["presence.new-sharer"] of "C5":
        r"whoever joins is told of those in the room, and they are not told of who joins";
    StrangersAll = "strangers-all" breaks ["presence.strangers"] of "C5":
        r"everybody receives everybody's presence";
    StrangersInvited = "strangers-invited" breaks ["presence.strangers"] of "C5":
        r"whoever is invited receives presence like whoever has joined";
    StrangersLeft = "strangers-left" breaks ["presence.strangers"] of "C5":
        r"whoever has left a room still receives presence";
    StrangersStatus = "strangers-status" breaks ["presence.strangers"] of "C5":
        r"the status request shows everybody's presence to everybody";
    StatusMessageDropsHash = "status-message-drops-hash" breaks ["presence.survives-status"] of "C4":
        r"setting presence replaces the whole of it, and loses the hash";
    StatusMessageEventBare = "status-message-event-bare" breaks ["presence.survives-status"] of "C4":
        r"the event of a new status is made from what the client sent, without the hash";
    PresenceWritable = "presence-writable" breaks ["presence.not-writable"] of "C3":
        r"a client's own value of the field is published";
    PresenceDeclares = "presence-declares" breaks ["presence.not-writable"] of "C3":
        r"a known hash in a client's own presence is taken for a declaration";
    LastLeavesHashStays = "last-leaves-hash-stays" breaks ["presence.last-leaves"] of "C3":
        r"the hash stays when the last session leaves";
    ResolveOwnOnly = "resolve-own-only" breaks ["resolve.hash-and-user"] of "C10":
        r"only one's own sets resolve";
    ResolveList = "resolve-list" breaks ["resolve.hash-and-user"] of "C11":
        r"the set is resolved to an array of names";
    ResolveCurrentForAny = "resolve-current-for-any" breaks ["resolve.verifies", "resolve.unknown"] of "C9":
        r"whatever the hash, the user's current set is served";
    ResolveStale = "resolve-stale" breaks ["resolve.verifies"] of "C9":
        r"for five seconds after a change the new hash resolves to the old set";
    PathPlusAsSpace = "path-plus-as-space" breaks ["resolve.encoding"] of "C10":
        r"a plus sign in the path is read as a space";
    PathSlashSplits = "path-slash-splits" breaks ["resolve.encoding"] of "C10":
        r"`%2F` is decoded before the path is split";
    PathSlashesMerge = "path-slashes-merge" breaks ["resolve.encoding"] of "C10":
        r"repeated slashes in a decoded variable are merged";
    ResolveUnknownEmpty = "resolve-unknown-empty" breaks ["resolve.unknown"] of "C9":
        r"an unknown hash resolves to the empty set";
    ResolveUnknownCrash = "resolve-unknown-crash" breaks ["resolve.unknown"] of "C9":
        r"an unknown hash ends in an internal error";
    ResolveUnknownUser400 = "resolve-unknown-user-400" breaks ["resolve.indistinguishable"] of "C10":
        r"an unknown user is told apart from an unknown hash";
    ResolveInvisible403 = "resolve-invisible-403" breaks ["resolve.indistinguishable"] of "C10":
        r"an invisible user is told apart from an unknown hash";
    ResolveCurrentOnly = "resolve-current-only" breaks ["resolve.superseded"] of "C9":
        r"a hash stops resolving the moment it is superseded";
    ResolveForAnybody = "resolve-for-anybody" breaks ["resolve.strangers"] of "C10":
        r"anybody resolves anybody's hashes";

    // Between homeservers: requests.
    FedHashKnownUsersOnly = "fed-hash-known-users-only" breaks ["federation.hash"] of "F2":
        r"another server's user whom this one has never seen is not found";
    FedHashBareString = "fed-hash-bare-string" breaks ["federation.hash"] of "S3":
        r"towards servers the hash is a bare string, not an object";
    FedSetList = "fed-set-list" breaks ["federation.set"] of "S5":
        r"towards servers the set is an array of names";
    FedSetNotFound = "fed-set-not-found" breaks ["federation.set"] of "F2":
        r"servers are told the hash of one list, and find the sets of another";
    FedSetForAny = "fed-set-for-any" breaks ["federation.set"] of "S4":
        r"a server is given the set whatever hash it presents";
    FedHashForAnybody = "fed-hash-for-anybody" breaks ["federation.other-user"] of "F2":
        r"a server is told the hash for users of any server";
    FedHashForOwnUsers = "fed-hash-for-own-users" breaks ["federation.other-user"] of "F2":
        r"the client API's handler is reused: a server is told what local users are offered";
    FedUnsignedAccepted = "fed-unsigned-accepted" breaks ["federation.signed"] of "F2":
        r"a request between servers without a signature is taken for one from within";
    FedSignatureUnchecked = "fed-signature-unchecked" breaks ["federation.signed"] of "F2":
        r"the header is read, and the signature in it believed",
        with ["federation.signed-401"] because r"a signature that passes for somebody else's is refused with 403 for its user";
    FedDestinationIgnored = "fed-destination-ignored" breaks ["federation.signed"] of "F2":
        r"a request that is signed for another server is accepted";
    FedSignatureCached = "fed-signature-cached" breaks ["federation.signed"] of "F2":
        r"a signature that was good once is good for whatever else it comes with";
    FedBodyUnsigned = "fed-body-unsigned" breaks ["federation.signed"] of "F2":
        r"a signature that leaves out the body is accepted, too";
    FedKeyCachedById = "fed-key-cached-by-id" breaks ["federation.signed"] of "F2":
        r"other servers' keys are cached by key ID, without the server's name",
        with ["federation.signed-401"] because r"a signature that passes for somebody else's is refused with 403 for its user",
        with ["federation.hash"] because
            r"the second homeserver whose key has an ID that is known already is answered nothing";
    FedExpiredKeyAccepted = "fed-expired-key-accepted" breaks ["federation.signed"] of "F2":
        r"keys sign for ever: neither `valid_until_ts` nor `old_verify_keys` ends them";
    FedAnyKey = "fed-any-key" breaks ["federation.signed"] of "F2":
        r"every key that the origin publishes is tried, whatever the key ID";
    FedOwnOriginAccepted = "fed-own-origin-accepted" breaks ["federation.signed"] of "F2":
        r"a request that names this very server as its origin is trusted";
    FedSignatureCrash = "fed-signature-crash" breaks ["federation.signed"] of "F2":
        r"a signature that is no Base64 ends in an internal error";
    FedSignatureLate = "fed-signature-late" breaks ["federation.signed"] of "F2":
        r"the signature is judged after the request has had its effect";
    FedSignature403 = "fed-signature-403" breaks ["federation.signed-401", "federation.signed"] of "F2":
        r"a bad signature is answered with 403 `M_FORBIDDEN`";
    FedHeaderFixedOrder = "fed-header-fixed-order" breaks ["federation.header-forms"] of "F2":
        r"the X-Matrix header is read by a pattern that knows one order";
    FedHeaderQuotesNeeded = "fed-header-quotes-needed" breaks ["federation.header-forms"] of "F2":
        r"X-Matrix parameters without quotes are refused";
    FedHeaderLowerCase = "fed-header-lower-case" breaks ["federation.header-forms"] of "F2":
        r"scheme and parameters of the X-Matrix header are known in one letter case";
    FedHeaderNoSpaces = "fed-header-no-spaces" breaks ["federation.header-forms"] of "F2":
        r"white space between X-Matrix parameters is refused";
    FedHeaderUnknownRefused = "fed-header-unknown-refused" breaks ["federation.header-forms"] of "F2":
        r"an X-Matrix header with a parameter from the future is refused";
    FedHeaderRawEscapes = "fed-header-raw-escapes" breaks ["federation.header-forms"] of "F2":
        r"backslashes in quoted X-Matrix parameters are part of the value";
    FedResolveUploadsOnly = "fed-resolve-uploads-only" breaks ["federation.resolve"] of "C10":
        r"servers are served uploaded sets, and no unions";
    FedResolveNever = "fed-resolve-never" breaks ["federation.resolve"] of "C10":
        r"no hash resolves for servers";
    FedResolveLatest = "fed-resolve-latest" breaks ["federation.resolve"] of "C10":
        r"servers are served the user's set of the moment, whatever hash they ask with";
    FedResolveForStrangers = "fed-resolve-for-strangers" breaks ["federation.resolve-private"] of "C10":
        r"every server resolves every local user's hashes";
    FedResolveAfterLeaving = "fed-resolve-after-leaving" breaks ["federation.resolve-private"] of "C10":
        r"a server that was served once is served for ever, though its users have left";
    FedResolveThirdParty = "fed-resolve-third-party" breaks ["federation.resolve-private"] of "C10":
        r"servers are served what is cached about other servers' users";

    // Between homeservers: lookups.
    LookupNever = "lookup-never" breaks ["federation.lookup"] of "C9":
        r"the homeserver of a remote user is not asked";
    LookupUnsigned = "lookup-unsigned" breaks ["federation.lookup"] of "C9":
        r"lookups go out without a signature";
    LookupSeenOnly = "lookup-seen-only" breaks ["federation.lookup"] of "C9":
        r"only a hash that presence has carried is looked up";
    LookupRawPath = "lookup-raw-path" breaks ["federation.lookup"] of "C9":
        r"the hash stands in the path of the lookup as it is, slashes and all";
    LookupShort = "lookup-short" breaks ["federation.lookup"] of "C9":
        r"answers of other servers are cut off at 64 KiB, which is long for an upload";
    LookupUnverified = "lookup-unverified" breaks ["federation.lookup-verified"] of "C9":
        r"what another server answers is believed";
    LookupVerifiesRawBytes = "lookup-verifies-raw-bytes" breaks ["federation.lookup-verified", "federation.lookup"] of "C9":
        r"the answer's bytes are hashed as they came, so an honest answer in another spelling is a lie";
    LookupKeepsClaim = "lookup-keeps-claim" breaks ["federation.lookup-verified"] of "C9":
        r"an answer is cached under the hash that was asked for, and verified then";
    LookupLieRemembered = "lookup-lie-remembered" breaks ["federation.lookup-verified"] of "C9":
        r"a server that lied about a hash once is not asked for it again";
    LookupUncached = "lookup-uncached" breaks ["federation.lookup-cached"] of "C9":
        r"every lookup asks the other server";
    LookupCachedPerUser = "lookup-cached-per-user" breaks ["federation.lookup-cached"] of "C9":
        r"what was looked up is cached for the one who asked, about the one who was asked about";
    LookupCachedPerOwner = "lookup-cached-per-owner" breaks ["federation.lookup-cached"] of "C9":
        r"what was looked up is cached for the user that it was asked about, and asked again of the next";
    LookupFailureHangs = "lookup-failure-hangs" breaks ["federation.lookup-failure"] of "C9":
        r"when a lookup fails nobody tells the client";
    LookupFailurePlainText = "lookup-failure-plain-text" breaks ["federation.lookup-failure"] of "C9":
        r"a failed lookup is answered as a proxy does, with 502 in plain text";
    LookupFailureEmpty = "lookup-failure-empty" breaks ["federation.lookup-failure", "federation.lookup-verified"] of "C9":
        r"a failed lookup is answered with the empty set";
    LookupFollowsRedirects = "lookup-follows-redirects" breaks ["federation.lookup-failure"] of "C9":
        r"the HTTP client follows redirects, wherever they lead";
    LookupEndless = "lookup-endless" breaks ["federation.lookup-failure"] of "C9":
        r"lookups are bounded neither in time nor in bytes";
    LookupTrickle = "lookup-trickle" breaks ["federation.lookup-failure"] of "C9":
        r"the time of a lookup begins anew with each piece of the answer that comes";
    Lookup404Remembered = "lookup-404-remembered" breaks ["federation.lookup-failure"] of "C9":
        r"what another server did not know once stays unknown for ever";
    LookupFailure500 = "lookup-failure-500" breaks ["federation.lookup-failure-status"] of "C9":
        r"a failed lookup is answered with 500";
    LookupForStrangers = "lookup-for-strangers" breaks ["federation.lookup-private"] of "C10":
        r"lookups are made for users who share no room with whom they ask about";
    LookupBeforeCheck = "lookup-before-check" breaks ["federation.lookup-private"] of "C10":
        r"the other server is asked first, and who may see the answer is looked at then";

    // Between homeservers: presence.
    FedPresenceSilent = "fed-presence-silent" breaks ["federation.presence-out"] of "C4":
        r"no presence goes to other homeservers";
    FedPresenceWithoutHash = "fed-presence-without-hash" breaks ["federation.presence-out"] of "C4":
        r"presence goes to other homeservers field by field, and the hash is not among the fields";
    FedPresenceFirstOnly = "fed-presence-first-only" breaks ["federation.presence-out"] of "C5":
        r"a hash is told to other homeservers, its changes are not";
    FedPresenceNotToNewcomers = "fed-presence-not-to-newcomers" breaks ["federation.presence-out"] of "C5":
        r"a homeserver that joins a room learns the next change, not the values in force";
    FedPresenceRemovalUnsent = "fed-presence-removal-unsent" breaks ["federation.presence-out"] of "C5":
        r"other homeservers are not told that there is no hash any more";
    FedPresencePadded = "fed-presence-padded" breaks ["federation.presence-out"] of "C4":
        r"the hash is padded in presence towards other homeservers alone";
    FedPresenceOneServer = "fed-presence-one-server" breaks ["federation.presence-out"] of "C5":
        r"of the other homeservers in a room only the first is told of a change";
    FedPresenceInIgnored = "fed-presence-in-ignored" breaks ["federation.presence-in"] of "C4":
        r"presence of other homeservers is thrown away";
    FedPresenceInRefused = "fed-presence-in-refused" breaks ["federation.presence-in"] of "C4":
        r"a transaction with a presence field that Matrix does not have is refused";
    FedPresenceInFirstEntry = "fed-presence-in-first-entry" breaks ["federation.presence-in"] of "C4":
        r"of the entries of a presence EDU only the first is read";
    FedPresenceInLastEntry = "fed-presence-in-last-entry" breaks ["federation.presence-in"] of "C4":
        r"of the entries of a presence EDU the last one replaces those before";
    FedPresenceInFirstEdu = "fed-presence-in-first-edu" breaks ["federation.presence-in"] of "C4":
        r"of the presence EDUs of a transaction only the first is read";
    FedPresenceInHashDropped = "fed-presence-in-hash-dropped" breaks ["federation.presence-in"] of "C4":
        r"incoming presence is copied field by field, and the hash is not among the fields";
    FedPresenceInOfflineDropped = "fed-presence-in-offline-dropped" breaks ["federation.presence-in"] of "C4":
        r"of users of other homeservers who are offline nothing else is kept";
    FedPresenceInNotInStatus = "fed-presence-in-not-in-status" breaks ["federation.presence-in"] of "C4":
        r"the status request does not carry the hash of remote users";
    FedPresenceInNotInSync = "fed-presence-in-not-in-sync" breaks ["federation.presence-in"] of "C4":
        r"`/sync` does not carry the hash of remote users";
    FedPresenceInRemovalIgnored = "fed-presence-in-removal-ignored" breaks ["federation.presence-in"] of "C5":
        r"an entry without a hash leaves the one before in place";
    FedPresenceInReplayed = "fed-presence-in-replayed" breaks ["federation.presence-in"] of "C5":
        r"a transaction that comes again is processed again";
    FedPresenceInMalformedEnds = "fed-presence-in-malformed-ends" breaks ["federation.presence-in"] of "C4":
        r"one malformed hash and the whole EDU is thrown away";
    FedPresenceInMalformedShown = "fed-presence-in-malformed-shown" breaks ["federation.presence-in"] of "C4":
        r"whatever stands in the hash's place is shown to clients";
    FedPresenceInStrangers = "fed-presence-in-strangers" breaks ["federation.presence-in"] of "C5":
        r"users of other homeservers are shown to everybody, in a room with them or not";
    FedPresenceInNewSharerWaits = "fed-presence-in-new-sharer-waits" breaks ["federation.presence-in"] of "C5":
        r"whoever begins to share a room with a remote user learns their next change, not the value in force";
    FedPresenceSpoofOthers = "fed-presence-spoof-others" breaks ["federation.presence-spoof"] of "C4":
        r"a homeserver may speak for the users of any other";
    FedPresenceSpoofOwn = "fed-presence-spoof-own" breaks ["federation.presence-spoof"] of "C4":
        r"a homeserver may speak for this one's own users";
    FedPresenceSpoofDropsRest = "fed-presence-spoof-drops-rest" breaks ["federation.presence-spoof"] of "C4":
        r"one entry about somebody else's user and the whole EDU is thrown away";
}
