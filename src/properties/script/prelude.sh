set -u
LC_ALL=C
export LC_ALL

unfit() { # WORDS...: nothing can be said of the homeserver
    printf 'cannot tell: %s\n' "$*" >&2
    exit 2
}

for tool in curl jq openssl; do
    command -v "$tool" >/dev/null 2>&1 || unfit "this script needs $tool"
done

# New in each run, in every name: no homeserver has met these users and sets before.
nonce=$(openssl rand -hex 8) || unfit 'openssl gives no random bytes'
password=aA1-$(openssl rand -hex 16)
work=$(mktemp -d) || unfit 'no directory for temporary files'
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- what a client does -----------------------------------------------------------------------------

hash_of() { # TEXT
    printf '%s' "$1" | openssl dgst -sha256 -binary | openssl base64 -A | tr -d '='
}

encoded() { # TEXT, for a path
    jq -rn --arg text "$1" '$text | @uri'
}

# Sends a request; leaves $status, $code (the error code) and $work/answer. The body is a text, or @ for
# the bytes in $work/body. What answers 429 is asked again when it says, a breakdown once more.
as() { # TOKEN METHOD PATH [BODY]
    bearer=$1 method=$2 path=$3 upload=''
    if [ $# -gt 3 ]; then
        upload=$work/body
        [ "$4" = @ ] || printf '%s' "$4" >"$upload"
    fi
    waits=0 broke=no
    while :; do
        : >"$work/answer"
        set -- --silent --path-as-is --max-time 60 --output "$work/answer" --write-out '%{http_code}'
        [ -z "$bearer" ] || set -- "$@" --header "Authorization: Bearer $bearer"
        [ -z "$upload" ] || set -- "$@" --header 'Content-Type: application/json' --data-binary "@$upload"
        status=$(curl "$@" --request "$method" "$url$path")
        case $? in
            0) ;;
            6 | 7) unfit "$url cannot be reached" ;;
            *) status=000 ;;
        esac
        code=$(jq -r '.errcode? // empty' "$work/answer" 2>/dev/null)
        found="$status${code:+ $code}"
        case $status,$waits,$broke in
            429,?,*)
                pause=$(jq -r '((.retry_after_ms? // 1000) / 1000 | floor) + 1' "$work/answer" 2>/dev/null)
                sleep "${pause:-1}"
                waits=$((waits + 1))
                ;;
            [05]*,*,no) broke=yes ;;
            *) return 0 ;;
        esac
    done
}

# Registers a user; leaves $user and $token. Where your homeserver wants more than m.login.dummy or
# m.login.terms, this is the place to change: any new user with this device will do.
sign_up() { # NAME DEVICE
    body=$(jq -cn --arg name "cap-$nonce-$1" --arg password "$password" --arg device "$2" \
        '{username: $name, password: $password, device_id: $device}')
    for _ in 1 2 3 4; do
        as '' POST /_matrix/client/v3/register "$body"
        [ "$status" = 401 ] || break
        stage=$(jq -r '(.completed // []) as $done
            | [.flows[].stages | select(all(. == "m.login.dummy" or . == "m.login.terms")) | . - $done]
            | min_by(length) | .[0]? // empty' "$work/answer")
        [ -n "$stage" ] || unfit "registration wants more than this script can do: see sign_up"
        body=$(printf '%s' "$body" | jq -c --arg type "$stage" --slurpfile asked "$work/answer" \
            '.auth = {type: $type, session: $asked[0].session}')
    done
    [ "$status" = 200 ] || unfit "$1 cannot be registered: $found"
    user=$(jq -r .user_id "$work/answer")
    token=$(jq -r '.access_token // empty' "$work/answer")
    [ -n "$token" ] || unfit "$1 was registered without a session"
}

log_in() { # USER DEVICE: leaves $token
    as '' POST /_matrix/client/v3/login "$(jq -cn --arg user "$1" --arg password "$password" --arg device "$2" \
        '{type: "m.login.password", identifier: {type: "m.id.user", user: $user}, password: $password,
          device_id: $device}')"
    done_or_unfit "$1 cannot log in"
    token=$(jq -r .access_token "$work/answer")
}

delete_device() { # TOKEN USER DEVICE
    device_path=/_matrix/client/v3/devices/$(encoded "$3")
    as "$1" DELETE "$device_path" '{}'
    [ "$status" = 401 ] && as "$1" DELETE "$device_path" "$(jq -c --arg user "$2" --arg password "$password" \
        '{auth: {type: "m.login.password", identifier: {type: "m.id.user", user: $user}, password: $password,
          session: .session}}' "$work/answer")"
    done_or_unfit 'the device cannot be deleted'
}

make_room() { # TOKEN: leaves $room
    as "$1" POST /_matrix/client/v3/createRoom '{"preset":"public_chat"}'
    done_or_unfit 'no room can be made'
    room=$(jq -r .room_id "$work/answer")
}

join_room() { # TOKEN ROOM
    as "$1" POST "/_matrix/client/v3/join/$(encoded "$2")" '{}'
    done_or_unfit 'the room cannot be joined'
}

leave_room() { # TOKEN ROOM
    as "$1" POST "/_matrix/client/v3/rooms/$(encoded "$2")/leave" '{}'
    done_or_unfit 'the room cannot be left'
}

log_out() { # TOKEN ['/all']
    as "$1" POST "/_matrix/client/v3/logout${2-}" '{}'
    done_or_unfit 'no logout'
}

set_status() { # TOKEN USER PRESENCE [HASH]: with a hash, the client tries to write the field itself
    as "$1" PUT "/_matrix/client/v3/presence/$(encoded "$2")/status" "$(jq -cn --arg presence "$3" \
        --arg field "$presence_field" --arg hash "${4-}" \
        '{presence: $presence} + if $hash == "" then {} else {($field): {sha256: $hash}} end')"
}

# --- what has to be so ------------------------------------------------------------------------------

step() { # NUMBER WORDS
    number=$1 words=$2
}

wrong() { # REQUIREMENT EXPECTED
    printf 'step %s, %s: expected %s, found %s: %s\n' "$number" "$words" "$2" "$found" "$1"
    exit 1
}

done_or_unfit() { # WORDS
    [ "$status" = 200 ] || unfit "step $number, $words: $1: $found"
}

accepted() { # REQUIREMENT
    [ "$status" = 200 ] || wrong "$1" '200'
}

rejected() { # REQUIREMENT
    case $status,$code in
        401,M_UNKNOWN_TOKEN) wrong "$1" 'a 4xx' ;;
        4??,*) ;;
        *) wrong "$1" 'a 4xx' ;;
    esac
}

# The refusal by which a client knows that it has to upload.
refused() { # REQUIREMENT
    case $status,$code in
        401,* | 405,* | 429,* | 4??, | 4??,M_MISSING_TOKEN | 4??,M_UNKNOWN_TOKEN | 4??,M_UNAUTHORIZED) ;;
        4??,M_UNRECOGNIZED | 4??,M_LIMIT_EXCEEDED) ;;
        4??,M_RESOURCE_LIMIT_EXCEEDED | 4??,M_USER_LIMIT_EXCEEDED) unfit "the quota is used up: $found" ;;
        4??,*) return 0 ;;
    esac
    wrong "$1" 'the refusal of a set that is not known'
}

# A set that the homeserver may know or not is uploaded where it does not know it.
uploaded_unless_known() { # TOKEN HASH BODY
    [ "$status" = 200 ] && return 0
    upload "$1" "$2" "$3"
    done_or_unfit 'the set cannot be uploaded'
    declare_hash "$1" "$2"
    done_or_unfit 'the set cannot be declared'
}

dead() { # REQUIREMENT
    [ "$status $code" = '401 M_UNKNOWN_TOKEN' ] || wrong "$1" '401 M_UNKNOWN_TOKEN'
}

# Whether a question is answered as that of a dead token is.
died() { # QUESTION...
    "$@"
    [ "$status $code" = '401 M_UNKNOWN_TOKEN' ]
}

no_breakdown() { # REQUIREMENT
    case $status in
        [05]*) wrong "$1" 'an answer' ;;
    esac
}

# Asks again and again until it is so; the last time when `settle` seconds are over.
settles() { # QUESTION...
    deadline=$(($(date +%s) + settle + 1))
    while :; do
        now=$(date +%s)
        "$@" && return 0
        [ "$now" -lt "$deadline" ] || return 1
        sleep 1
    done
}

# The hash in presence content: none is empty, and so is that of {}.
carried='def carried: .[$field] | if . == null then ""
    elif type == "object" and (.sha256 | type) == "string" then .sha256
    else tojson end;'

# Leaves $shown, what the status of a user carries: a hash, nothing, or "hidden".
status_shows() { # TOKEN USER
    read_status "$1" "$2"
    case $status in
        200)
            shown=$(jq -r --arg field "$presence_field" "$carried carried" "$work/answer") ||
                shown='no JSON object'
            found=${shown:-no hash}
            ;;
        403 | 404) shown=hidden ;;
        *) shown="$found" ;;
    esac
}

# A new session has been shown nothing.
forget() { # SESSION
    rm -f "$work/$1.since" "$work/$1.shown"
}

# The same for what a session was last shown of a user in /sync: "hidden" where it never was.
sync_shows() { # SESSION TOKEN USER
    since=$(cat "$work/$1.since" 2>/dev/null)
    as "$2" GET "/_matrix/client/v3/sync?set_presence=offline&timeout=0${since:+&since=$(encoded "$since")}"
    if [ "$status" = 200 ]; then
        jq -r '.next_batch' "$work/answer" >"$work/$1.since"
        [ -s "$work/$1.shown" ] || echo '{}' >"$work/$1.shown"
        jq -c --arg field "$presence_field" --arg path "$presence_sync_path" \
            --arg event "$presence_event" --slurpfile before "$work/$1.shown" "$carried"'
            reduce ((getpath($path | split(".")) // [])[] | select(.type == $event)) as $event ($before[0];
                .[$event.sender // $event.content.user_id] = ($event.content | carried))' \
            "$work/answer" >"$work/shown" || unfit '/sync answers what is no sync'
        mv "$work/shown" "$work/$1.shown"
        shown=$(jq -r --arg user "$3" '.[$user] // "hidden"' "$work/$1.shown")
        case $shown in
            hidden) found='no event' ;;
            *) found=${shown:-no hash} ;;
        esac
    else
        shown=$found
    fi
}

# Whether a reading shows the hash that is in force. What it shows before must have been in force earlier:
# these are listed after `or`.
carries() { # REQUIREMENT WORDS HASH or EARLIER... -- READING...
    requirement=$1 expected=$2 want=$3 earlier=' '
    shift 4
    while [ "$1" != -- ]; do
        earlier="$earlier${1:-none} "
        shift
    done
    shift
    "$@"
    [ "$shown" != "$want" ] || return 0
    # That there is no hash may be told by that of {}, too.
    case $want,$shown in
        ",$empty_hash" | ,hidden) return 0 ;;
        *,hidden) return 1 ;;
    esac
    case "$earlier$shown" in
        *" ${shown:-none} "* | *" none "*"$empty_hash") return 1 ;;
        *) wrong "$requirement" "$expected" ;;
    esac
}

# Whether what was shown last is spelled as a hash is, where it is one.
well_spelled() {
    [ -z "$shown" ] || [ "$shown" = hidden ] || printf '%s' "$shown" | grep -Eqx '[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]'
}

# Whether a reading keeps the hash from who reads.
hides() { # READING...
    "$@"
    [ -z "$shown" ] || [ "$shown" = hidden ]
}

# Whether the answer is this set and nothing else.
serves() { # SET
    [ "$status" = 200 ] && jq -e --argjson set "$1" '. == $set' "$work/answer" >/dev/null 2>&1
}

# Whether resolving a user's hash yields this set.
resolves() { # TOKEN USER HASH SET
    resolve "$1" "$2" "$3"
    serves "$4"
}

# Whether the answer is no set, or this one.
nothing_but() { # [SET]
    case $status in
        4??) ;;
        200) [ $# -gt 0 ] && serves "$1" ;;
        *) false ;;
    esac
}

# Whether the answer is a hash in due form.
a_hash() {
    [ "$status" = 200 ] &&
        jq -e '.sha256 | test("^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]$")' "$work/answer" >/dev/null 2>&1
}

# Whether the answer is a set with this hash.
hashes_to() { # HASH
    [ "$status" = 200 ] && jq -e 'type == "object"' "$work/answer" >/dev/null 2>&1 &&
        [ "$(jq -cjS . "$work/answer" | openssl dgst -sha256 -binary | openssl base64 -A | tr -d '=')" = "$1" ]
}
