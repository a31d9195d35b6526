//! The variants, one row each: data, and the macro that makes it a type.

/// Makes the enum and its table from one row a variant: `by` the words of docs/protocol.md that leave it
/// free, the `choice` that it is one way of making, the shoulds that it lets `go`, and `between servers`
/// where no client can tell.
macro_rules! variants {
    ($($variant:ident = $id:literal by $freedom:literal: $summary:literal
        $(, choice $choice:literal)? $(, lets [$($let_go:literal),+] go)? $(, between $servers:ident)?;)+) => {
        /// A freedom.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Variant {
            $(#[doc = concat!("`", $id, "`: ", $summary, ".")] $variant,)+
        }

        /// Every variant, in the order of the protocol's freedoms.
        pub(super) const TABLE: &[Row] = &[$(Row {
            variant: Variant::$variant,
            id: $id,
            freedom: $freedom,
            summary: $summary,
            choice: variants!(@choice $($choice)?),
            lets_go: &[$($($let_go),+)?],
            between_servers: variants!(@between $($servers)?),
        },)+];
    };
    (@choice) => { None };
    (@choice $choice:literal) => { Some($choice) };
    (@between) => { false };
    (@between servers) => { true };
}

/// What is said of a variant.
pub(super) struct Row {
    pub(super) variant: Variant,
    pub(super) id: &'static str,
    pub(super) freedom: &'static str,
    pub(super) summary: &'static str,
    pub(super) choice: Option<&'static str>,
    pub(super) lets_go: &'static [&'static str],
    pub(super) between_servers: bool,
}

variants! {
    // How answers are spelled.
    AnswersReversed = "answers-reversed" by "Key order, spacing and escapes in answers":
        r"the keys of every object come in reverse order";
    AnswersSpaced = "answers-spaced" by "any JSON spelling of a set":
        r"answers are set out in lines, sets among them", choice "spacing";
    AnswersSprawling = "answers-sprawling" by "Key order, spacing and escapes in answers":
        r"tabs, line feeds and spaces stand wherever JSON lets them", choice "spacing";
    AnswersEscaped = "answers-escaped" by "Key order, spacing and escapes in answers":
        r"every character of every string is a \u escape, keys and hashes among them", choice "escapes";
    AnswersSlashEscaped = "answers-slash-escaped" by "Key order, spacing and escapes in answers":
        r"`/` is spelled `\/`, and other than ASCII as \u escapes", choice "escapes";
    AnswersExtraKeys = "answers-extra-keys" by "Extra keys in every answer but a set":
        r"every object of every answer has a key that nobody knows, sets aside";
    HashExtraKeys = "hash-extra-keys" by "Extra keys beside `sha256`":
        r"a hash of another algorithm stands beside `sha256`, towards clients and servers";
    ErrorTexts = "error-texts" by "Error texts":
        r"error texts are long, in other alphabets and full of control characters";
    ErrorsForbidden = "errors-forbidden" by "Any legal status and error code where [section 7](#7-errors) gives a range":
        r"whatever may be any 4xx is 403 with an errcode of the server's own", choice "errors",
        lets ["server.unknown-hash-404", "upload.refusal-as-bound", "upload.too-large"] go;
    ErrorsConflict = "errors-conflict" by "Any legal status and error code where [section 7](#7-errors) gives a range":
        r"whatever may be any 4xx is 422 `M_UNKNOWN`, and the refusal has the status 409", choice "errors",
        lets ["server.unknown-hash-404", "upload.refusal-as-bound", "upload.too-large"] go;
    ErrorsBodyFirst = "errors-body-first" by "Which of several errors is reported when several conditions hold, the missing token aside":
        r"the body is judged before the path, and before a token that is dead";
    HttpChunked = "http-chunked" by "Chunked bodies":
        r"bodies come in chunks of a few bytes";
    HttpClose = "http-close" by "HTTP/1.1 with or without keep-alive":
        r"the connection is closed after every answer";
    HttpTwo = "http-two" by "HTTP/2":
        r"HTTP/2 is offered before HTTP/1.1, to homeservers that ask and to those that are asked", between servers;
    HttpHeaders = "http-headers" by "Headers other than those named here":
        r"answers carry cookies, caching, CORS and proxy headers, and a charset in Content-Type";

    // What is taken.
    NamesRefused = "names-refused" by "names outside the grammar (`opaque_names`)":
        r"names outside the identifier grammar are refused";
    ParametersRefused = "parameters-refused" by "non-empty parameters (`parameters`)":
        r"sets with parameters are refused";
    BomTaken = "bom-taken" by "a byte order mark":
        r"a byte order mark before an upload is skipped";
    PaddedTaken = "padded-taken" by "padded or URL-safe hashes in requests":
        r"hashes with padding are taken in requests";
    UrlSafeTaken = "url-safe-taken" by "padded or URL-safe hashes in requests":
        r"hashes in the URL-safe alphabet are taken in requests";
    IntegersTaken = "integers-taken" by "odd integers and deep nesting as in section 4.4 (if they then work)":
        r"`-0`, `1.0` and `1e2` are taken as the integers that they are";
    NestingRefused = "nesting-refused" by "odd integers and deep nesting as in section 4.4 (if they then work)":
        r"sets nested more than 16 deep are refused";
    DuplicatesRefused = "duplicates-refused" by "duplicate keys (if what is served hashes to the claim)":
        r"an upload with a key twice is refused", choice "duplicates";
    DuplicatesFirst = "duplicates-first" by "duplicate keys (if what is served hashes to the claim)":
        r"of two equal keys the first stands", choice "duplicates";
    SignatureRefused = "signature-refused" by "both `sig` and `signature`":
        r"an X-Matrix header that calls its signature `signature` is refused", between servers;

    // What is known.
    KnownForever = "known-forever" by "To keep sets longer than ten minutes":
        r"sets are kept for ever";
    KnownUnasked = "known-unasked" by "to know, or not, the union's own hash, that of `{}`, server sets and fetched sets when they are declared without upload":
        r"whatever the server can resolve may be declared without upload";
    KnownPerUser = "known-per-user" by "A server may keep users' stores apart":
        r"a set is known to those alone who have uploaded it themselves", lets ["upload.known-from-others"] go;
    ServerServesClients = "server-serves-clients" by "to answer `server_set` for client sets":
        r"the server's own lookup finds clients' sets, too";
    MismatchKept = "mismatch-kept" by "to keep the body of a mismatched upload under its true hash":
        r"a mismatched upload is refused, and kept under its true hash";

    // Sessions and their union.
    SoftLogout = "soft-logout" by "Soft logout":
        r"whoever comes with a dead token is told `soft_logout`";
    SessionsEnd = "sessions-end" by "a time-out for idle sessions, if declared":
        r"a session that asks nothing for a second is connected no longer, until it declares again";
    UndeclaredAsEmpty = "undeclared-as-empty" by "No hash or that of `{}` when nobody declared or everybody left":
        r"whoever has declared nothing has the hash of `{}`";
    LeftAsEmpty = "left-as-empty" by "No hash or that of `{}` when nobody declared or everybody left":
        r"when everybody has left, the hash is that of `{}`";
    ConflictSmaller = "conflict-smaller" by "Which parameters stand in a conflict, if order does not matter":
        r"of conflicting parameters the smaller stand", choice "conflict";
    ConflictBare = "conflict-bare" by "Which parameters stand in a conflict, if order does not matter":
        r"a capability with conflicting parameters has none", choice "conflict";

    // Presence.
    PresenceOnline = "presence-online" by "What `presence` says beside the hash, and whether declaring sets anybody online":
        r"declaring sets a user online";
    PresenceRepeated = "presence-repeated" by "repeated events":
        r"every event is sent again with the next answer of `/sync`";
    PresenceBatched = "presence-batched" by "Batching":
        r"presence goes out five times a second, with what is in force then";
    PresenceLate = "presence-late" by "Delays up to `settle_s`, to each sharer another":
        r"presence goes out a quarter of a second after each change or later, to each sharer for themselves";
    StatusLate = "status-late" by "Delays up to `settle_s`":
        r"others read the hash of a quarter of a second ago";
    OwnStatusLate = "own-status-late" by "Delays up to `settle_s`":
        r"users read their own hash of a quarter of a second ago", lets ["presence.read-your-write"] go;
    AbsentAsNull = "absent-as-null" by "`null` for an absent field":
        r"where there is no hash, the field is null";
    RedeclareTold = "redeclare-told" by "silent redeclares (`presence.unchanged-silent`)":
        r"a declaration of what is in force sends an event";
    SyncEarly = "sync-early" by "Early, empty syncs":
        r"long polls end early and with nothing, time and again", choice "polls";
    PollsSleep = "polls-sleep" by "polls that do not wake":
        r"long polls end with their time, and no sooner", choice "polls";
    OwnSessionsUntold = "own-sessions-untold" by "Events to the user's own other sessions (`presence.own-sessions`)":
        r"a user's own sessions are not told of the user's presence";
    StrangersNotFound = "strangers-not-found" by "403, 404 or 200 without the field for strangers":
        r"strangers' presence is 404", choice "strangers";
    StrangersBare = "strangers-bare" by "403, 404 or 200 without the field for strangers":
        r"strangers' presence is there, without the field", choice "strangers";
    PresenceFieldRefused = "presence-field-refused" by "Ignoring or refusing (400) the field in `PUT presence`":
        r"setting the field is refused with 400";
    UnsharingTold = "unsharing-told" by "Whether those who stop sharing are told anything":
        r"whoever stops sharing is told once that there is no hash any more";

    // Resolving.
    ResolveKnown = "resolve-known" by "To serve any known set besides the ones in section 11":
        r"any known set resolves for whoever may see the user";
    ResolveLate = "resolve-late" by "Delays up to `settle_s`":
        r"a union resolves a quarter of a second after it came into force";
    SupersededForgotten = "superseded-forgotten" by "the one before the last change, within 60 s of that change | should serve it":
        r"a superseded hash resolves no longer", lets ["resolve.superseded"] go;
    EntitledSetServed = "entitled-set-served" by "To serve an unentitled user who presents an entitled user's server hash":
        r"whoever presents the hash of a server set is served it";
    OtherUserNotFound = "other-user-not-found" by "should be answered with 403 `M_FORBIDDEN` or 404 `M_NOT_FOUND`":
        r"whoever asks what somebody else is offered gets 404";

    // Between homeservers: what is asked and answered.
    FedOffersAlike = "fed-offers-alike" by "To offer other capabilities to servers than to clients":
        r"servers are offered what clients are", between servers;
    FedOffersPerUser = "fed-offers-per-user" by "What is offered may depend on the user here as well":
        r"other servers' users whose ID has an even length are offered one capability more", between servers;
    FedErrorsOwn = "fed-errors-own" by "the answer should be a 4xx":
        r"whatever may be any 4xx towards servers is 410 with an errcode of the server's own", between servers;
    FedRefusalsTold = "fed-refusals-told" by "A server refuses, with a 4xx, no data and no effect":
        r"a request without a good signature is answered by what is wrong with it: 400, 401 or 403",
        lets ["federation.signed-401"] go, between servers;
    FedStrangersForbidden = "fed-strangers-forbidden" by "Every other server, and every user who is not local, should get 404":
        r"servers that may not see a user's set are told that it is forbidden",
        lets ["federation.resolve-private"] go, between servers;
    FedRateLimits = "fed-rate-limits" by "429 on any request at any time":
        r"every fifth request of another homeserver meets 429, and is told when to come again", between servers;
    FedAnswersLate = "fed-answers-late" by "Delays up to `settle_s`":
        r"answers to other homeservers take some milliseconds, and no two the same", between servers;
    FedAsksMore = "fed-asks-more" by "To ask other homeservers for whatever else homeservers ask for":
        r"the homeserver of a user who joins is asked for profile, devices, keys and rooms first", between servers;
    FedHttpClose = "fed-http-close" by "HTTP/1.1 with or without keep-alive":
        r"connections between servers are closed after every answer, in both directions", between servers;

    // Between homeservers: keys and signatures.
    FedHeaderSpelled = "fed-header-spelled" by "Any legal spelling of the X-Matrix headers that it sends":
        r"X-Matrix headers go out in another order, with other spaces, letters, quotes and escapes", between servers;
    FedKeysSeveral = "fed-keys-several" by "Several keys, in turn; old keys, further signatures and further fields in the key object":
        r"two keys sign in turn, and the key object has an old one and fields of its own besides", between servers;
    FedKeysBrief = "fed-keys-brief" by "for how long its keys are valid":
        r"the key object is valid for a second", between servers;
    FedKeysFetchedAlways = "fed-keys-fetched-always" by "how often it fetches those of others":
        r"other homeservers' keys are fetched for every request", between servers;

    // Between homeservers: lookups.
    FedLookupsRepeated = "fed-lookups-repeated" by "Several concurrent identical lookups":
        r"identical lookups that are under way at once are each asked", between servers;
    FedNegativeCache = "fed-negative-cache" by "Negative caching within `negative_cache_s`, and back-off":
        r"failed lookups are remembered for a while, as the target file says", between servers;
    FedBackOff = "fed-back-off" by "Negative caching within `negative_cache_s`, and back-off":
        r"a homeserver that is down, slow or broken is asked and told nothing for a moment", between servers;
    Fed404As502 = "fed-404-as-502" by "404 for the remote's 404":
        r"the remote's 404 becomes 502", between servers;
    FedFailures504 = "fed-failures-504" by "The status should be 502 or 504":
        r"a homeserver that fails is 504, and one that is late 502", between servers;

    // Between homeservers: presence.
    FedMalformedKeeps = "fed-malformed-keeps" by "Whether a malformed incoming field clears an earlier hash":
        r"a malformed hash leaves the earlier one in place", between servers;
    FedPresenceLate = "fed-presence-late" by "Delays up to `settle_s`":
        r"other homeservers are told after a while, of all that has changed meanwhile", between servers;
    FedTransactionsApart = "fed-transactions-apart" by "how entries are spread over EDUs, and EDUs over transactions":
        r"every entry of presence goes to other homeservers in a transaction of its own", between servers;
    FedEdusApart = "fed-edus-apart" by "how entries are spread over EDUs, and EDUs over transactions":
        r"every entry of presence has an EDU of its own", between servers;
    FedTransactionsTwice = "fed-transactions-twice" by "the same transaction, and the same values, again":
        r"every transaction is sent again, as after an answer that was lost", between servers;
    FedPresenceRepeated = "fed-presence-repeated" by "the same transaction, and the same values, again":
        r"whenever one user's presence goes out, everybody's does", between servers;
    FedTransactionIds = "fed-transaction-ids" by "The IDs of its transactions":
        r"transaction IDs hold what a path must encode", between servers;
    FedEdusOthers = "fed-edus-others" by "other EDUs beside presence":
        r"typing notices, receipts and EDUs that nobody knows go along with presence", between servers;
    FedEdusExtraKeys = "fed-edus-extra-keys" by "further keys in all of them":
        r"transactions, EDUs and entries of presence have keys that nobody knows", between servers;
    FedNoHashNull = "fed-no-hash-null" by "A field that is `null`":
        r"where a user has no hash, the field of their entry is `null`", choice "no hash", between servers;
    FedNoHashEmpty = "fed-no-hash-empty" by "the hash of `{}`, in the entry of a user who has no hash":
        r"where a user has no hash, their entry has that of `{}`", choice "no hash", between servers;

    // Pace and place.
    RateLimits = "rate-limits" by "429 on any request at any time":
        r"every seventh request meets 429 with `retry_after_ms`", choice "rate limits";
    RateLimitsHeader = "rate-limits-header" by "429 on any request at any time":
        r"now and then a request meets 429 with a Retry-After header alone", choice "rate limits";
    AnswersLate = "answers-late" by "Delays up to `settle_s`":
        r"every answer takes some milliseconds, and no two the same";
    BoundElsewhere = "bound-elsewhere" by "A target file may replace any path or method, the refusal's status and error code, and where the hash rides in presence":
        r"every operation lies elsewhere, is refused otherwise, and the hash rides elsewhere";
}
