# What the commands share. A command sets `name`, defines usage(), sources this and parses its arguments.
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034 # variables are jq's; what is set here is used by the commands
# A stream that is closed: else a file that a program opens here gets its number, and is written into. Input and output that matter
# still fail.
{ true 3<&0; } 2>/dev/null || exec 0>/dev/null
{ true 3>&1; } 2>/dev/null || exec 1</dev/null
{ true 3>&2; } || exec 2>/dev/null
name=${name:-}
url=${HOLDFAST_URL:-http://127.0.0.1:8241}
login= # user:password of the URL as written there; neither is ever shown, nor in the list of processes
case $url in
*://*)
	hf_authority=${url#*://}
	hf_authority=${hf_authority%%/*}
	case $hf_authority in
	*@*)
		login=${hf_authority%@*}
		url=${url%%://*}://${hf_authority##*@}${url#*://"$hf_authority"}
		;;
	esac
	;;
esac
while [ "$url" != "${url%/}" ]; do url=${url%/}; done
lib=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
json=false # --json was given
yes=false  # --yes was given
declare -A advice=() # words to add to what a problem of a code says
scratch=   # a directory for what is too long for a variable; hf_scratch makes it
# What jq programs may begin with: a row of a table, a time without its fraction, addresses, and seconds as people write them.
hf_jq='
	def row: map(if . == null or . == "" then "-" else . end) | @tsv;
	def time: if . == null then null else .[0:19] + "Z" end;
	def ips: [.[]?.ip] | join(",");
	def many($word): "\(.) \($word)\(if . == 1 then "" else "s" end)";
	def names: if length > 0 then join(", ") else "all" end;
	def duration: if . == 0 then "0s" elif . % 86400 == 0 then "\(. / 86400)d" elif . % 3600 == 0 then "\(. / 3600)h"
		elif . % 60 == 0 then "\(. / 60)m" else "\(.)s" end;'

# What a terminal obeys or is fooled by: control characters, but not tabs, C1 ones, and those that turn the direction of writing or end a line.
# plain() replaces them; escaped() writes them as JSON does, where they can only be part of a string.
hf_awk='
	function plain(text) {
		gsub(/[\001-\010\013-\037\177]|\302[\200-\237]|\330\234|\342\200[\216\217\250-\256]|\342\201[\246-\251]/, "?", text)
		return text
	}
	function byte(text, i) { return bytes[substr(text, i, 1)] }
	function escaped(text,   before, found, code, i) {
		if (!("a" in bytes)) for (i = 1; i < 256; i++) bytes[sprintf("%c", i)] = i
		while (match(text, /[\001-\010\013-\037\177]|\302[\200-\237]|\330\234|\342\200[\216\217\250-\256]|\342\201[\246-\251]/)) {
			found = substr(text, RSTART, RLENGTH)
			code = byte(found, 1)
			if (RLENGTH == 2) code = (code - 192) * 64 + byte(found, 2) - 128
			if (RLENGTH == 3) code = (code - 224) * 4096 + (byte(found, 2) - 128) * 64 + byte(found, 3) - 128
			before = before substr(text, 1, RSTART - 1) sprintf("\\u%04x", code)
			text = substr(text, RSTART + RLENGTH)
		}
		return before text
	}'

# hf_say WORDS… : a line for standard error, of which a terminal obeys nothing.
hf_say() {
	local words="holdfast${name:+ $name}: $*"
	words=${words//[$'\t\n\r']/?}
	LC_ALL=C awk "$hf_awk"'{ print plain($0) }' <<<"$words" >&2
}

# hf_die STATUS WORDS… : says why, and ends.
hf_die() {
	local status=$1
	shift
	hf_say "$@"
	exit "$status"
}

# hf_bad WORDS… : wrong arguments.
hf_bad() { hf_die 2 "$*; see holdfast $name --help"; }

# hf_value OPTION "$@" : the value behind an option, which must be there.
hf_value() {
	if [ $# -lt 3 ] || [ -z "$3" ]; then hf_bad "$1: a value is missing"; fi
	printf '%s' "$3"
}

# hf_number OPTION TEXT : a whole number.
hf_number() {
	case $2 in '' | *[!0-9]*) hf_bad "$1: \"$2\" is not a whole number" ;; esac
	if [ ${#2} -gt 18 ]; then hf_bad "$1: \"$2\" is too large"; fi
	printf '%s' "$((10#$2))"
}

# hf_one_of OPTION TEXT WORD… : the text, which must be one of the words.
hf_one_of() {
	local option=$1 text=$2 word
	shift 2
	for word in "$@"; do
		if [ "$text" = "$word" ]; then
			printf '%s' "$text"
			return
		fi
	done
	hf_bad "$option: \"$text\" is none of $*"
}

# hf_kind OPTION TEXT : a kind of service.
hf_kind() { hf_one_of "$1" "$2" MeshService MeshExternalService MeshMultiZoneService; }

# hf_no_more "$@" : there must be no argument left.
hf_no_more() { if [ $# -gt 0 ]; then hf_bad "\"$1\" is one argument too many"; fi; }

# hf_terminal WHAT : refuses what has to be confirmed if nobody can be asked and --yes was not given.
hf_terminal() {
	if ! $yes && ! [ -t 0 ]; then hf_die 2 "$1 asks first, and there is no terminal to ask at: state --yes if it is meant"; fi
}

# hf_confirm QUESTION : goes on if --yes was given or the answer is yes.
hf_confirm() {
	local answer=
	if $yes; then return; fi
	printf '%s [y/N] ' "$(LC_ALL=C awk "$hf_awk"'{ print plain($0) }' <<<"${1//[$'\t\n\r']/?}")" >&2
	read -r answer || true
	case $answer in
	y | Y | yes | Yes | YES) ;;
	*) hf_die 1 "nothing was done" ;;
	esac
}

# hf_run FILE COMMAND… : its output goes to the file. It has a process group of its own, so that a signal need not wait for its end: hf_ended is
# for the traps of whoever uses this.
running=
hf_run() {
	local status=0 out=$1
	shift
	set -m
	"$@" >"$out" </dev/null &
	running=$!
	set +m
	wait "$running" || status=$?
	running=
	return "$status"
}

# hf_ended SIGNAL : ends at once, with what runs.
hf_ended() {
	trap '' HUP INT TERM
	if [ -n "$running" ]; then
		kill -- "-$running" || true
		wait "$running" || true
	fi 2>/dev/null
	exit $((128 + $1))
}

# hf_scratch : makes the directory $scratch, which goes away when the command ends. Not for subshells. An interrupt ends the command even
# if what it ran at that moment ended well, which bash would take for having been dealt with.
hf_scratch() {
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/holdfast.XXXXXXXX" 2>/dev/null) ||
		hf_die 2 "no temporary directory can be made in ${TMPDIR:-/tmp}; TMPDIR may name another place"
	trap 'rm -rf "$scratch"' EXIT
	trap 'hf_ended 2' INT
}

# hf_put : standard input to standard output, less what a terminal obeys (with --json it is escaped, as only strings can hold it). A failure to
# write is said, once. Who is not read on ends quietly, as usual.
hf_put() {
	local status=0 how=plain
	if $json; then how=escaped; fi
	LC_ALL=C awk "$hf_awk"'{ print '$how'($0) }' 2>/dev/null || status=$?
	case $status in
	0) ;;
	141) exit 141 ;;
	*) hf_die 2 "the output cannot be written" ;;
	esac
}

# hf_help : the answer to --help.
hf_help() {
	usage | hf_put
	exit
}

# hf_strange : what was answered is nothing that a Holdfast server says.
hf_strange() { hf_die 3 "the answer of $url is not what a Holdfast server answers"; }

# hf_read JQ-ARGUMENT… : jq on what the server answered, whatever that is.
hf_read() {
	local status=0
	jq "$@" 2>/dev/null || status=$?
	case $status in
	0) ;;
	141) exit 141 ;;
	*) hf_strange ;;
	esac
}

# hf_is_json MEDIA-TYPE : whether it is one of those that Holdfast answers with.
hf_is_json() {
	local type=${1%%;*}
	type=${type//[[:space:]]/}
	case ${type,,} in application/json | application/x-ndjson | application/problem+json) ;; *) return 1 ;; esac
}

# hf_member TARGET : what the answer to a request for this must have; a plural is an array.
hf_member() {
	case ${1%%\?*} in
	/v1/status) echo storeId ;;
	/v1/verify) echo violations ;;
	/v1/changes) echo changes ;;
	/v1/zones | /v1/pools | /v1/leases | */history) echo items ;;
	/v1/zones/*/sync) echo results ;;
	/v1/zones/*) echo zone ;;
	/v1/pools/*) echo pool ;;
	/v1/addresses/*) echo address ;;
	*) echo service ;;
	esac
}

# hf_need PROGRAM… : programs that must be there.
hf_need() {
	local program
	for program in "$@"; do
		command -v "$program" >/dev/null || hf_die 2 "needs $program, which is not installed"
	done
}

# hf_uri TEXT : escaped for a path or a query.
hf_uri() {
	local LC_ALL=C text=$1 escaped='' byte i
	for ((i = 0; i < ${#text}; i++)); do
		case ${text:i:1} in
		[A-Za-z0-9._~-]) escaped+=${text:i:1} ;;
		*)
			printf -v byte %d "'${text:i:1}"
			printf -v byte %%%02X $((byte & 255))
			escaped+=$byte
			;;
		esac
	done
	printf '%s' "$escaped"
}

# hf_ready : whether a server can be asked at all.
hf_ready() {
	hf_need curl jq awk
	case $url in
	*@*) hf_die 2 "HOLDFAST_URL: it has an @ where none can be (a / in a password is written %2F)" ;;
	*[?#]*) hf_die 2 "HOLDFAST_URL: \"$url\" has a ? or a #, and is to be the beginning of an address alone" ;;
	http://?* | https://?*) ;;
	*) hf_die 2 "HOLDFAST_URL: \"$url\" is no http:// or https:// address" ;;
	esac
	case ${HOLDFAST_TOKEN:-} in *[![:graph:]]*) hf_die 2 "HOLDFAST_TOKEN holds a space or a control character" ;; esac
	case $(hf_login) in *[[:cntrl:]]*) hf_die 2 "HOLDFAST_URL: the user or the password holds a control character" ;; esac
}

# hf_login : the user and password of the URL as curl wants them, a colon between them; nothing if there are none.
hf_login() {
	local LC_ALL=C text=${login//\\/\\\\}
	if [ -z "$login" ]; then return; fi
	case $text in *:*) ;; *) text+=: ;; esac
	printf '%b' "${text//%/\\x}"
}

# hf_direct URL : sets $direct to what keeps curl from a proxy if this is the host itself, so that a token goes nowhere else.
hf_direct() {
	local host=${1#*://}
	host=${host%%/*}
	host=${host##*@}
	case $host in \[*) host=${host%%]*} host=${host#[} ;; *) host=${host%%:*} ;; esac
	direct=()
	if [[ ${host,,} =~ ^(localhost|.*\.localhost|127(\.[0-9]+){0,3}|::1|0:0:0:0:0:0:0:1)\.?$ ]]; then direct=(--noproxy '*'); fi
}

# hf_curl CURL-ARGUMENT… : curl with the token, which the list of processes does not show. Ends with 3 if there is no server.
hf_curl() {
	local status=0 token=${HOLDFAST_TOKEN:-} direct
	hf_ready
	hf_direct "$url"
	token=${token//\\/\\\\}
	curl -q -sS "${direct[@]}" --globoff --path-as-is --connect-timeout 10 --speed-limit 1 --speed-time 120 --config <(
		if [ -n "$login" ]; then
			user=$(hf_login)
			user=${user//\\/\\\\}
			printf 'user = "%s"\n' "${user//\"/\\\"}"
		fi
		if [ -n "$token" ]; then
			printf 'header = "Authorization: Bearer %s"\n' "${token//\"/\\\"}"
		fi
	) "$@" || status=$?
	case $status in
	0) ;;
	1 | 3) hf_die 2 "HOLDFAST_URL: $url cannot be used" ;;
	18) hf_die 3 "the answer of the server at $url was cut off" ;;
	28) hf_die 3 "the server at $url did not answer in time, or cannot be reached" ;;
	5 | 6 | 7 | 35 | 52 | 55 | 56 | 60) hf_die 3 "the server at $url cannot be reached" ;;
	*) return "$status" ;;
	esac
}

# hf_problem STATUS BODY : says what a problem (RFC 9457) says. What has no code, and a status that Holdfast gives none without, is of something else.
hf_problem() {
	local words
	words=$(jq -r 'select(.code) | "\(.code): \(.detail)"' <<<"$2" 2>/dev/null) || words=
	case $words:$1 in :3?? | :404 | :405 | :501) hf_strange ;; esac
	if [ -n "$words" ] && [ -n "${advice[${words%%:*}]:-}" ]; then words+=" ${advice[${words%%:*}]}"; fi
	hf_say "${words:-the server answered HTTP $1}"
}

# hf_refused STATUS BODY : says the problem, and ends with 1, or with 3 if the server is in trouble.
hf_refused() {
	hf_problem "$1" "$2"
	case $1 in 500 | 501 | 502 | 503 | 504) exit 3 ;; esac
	exit 1
}

# hf_api METHOD TARGET [CURL-ARGUMENT…] : the answer's body, one object as it has to be; a problem is said, and the status is then 1 (3: server
# trouble, 500, 503). $patience is how many seconds that may take, 0 as long as it takes.
patience=30
hf_api() {
	local method=$1 target=$2 answer code type member
	shift 2
	answer=$(hf_curl -X "$method" -w '\n%{http_code} %{content_type}' --max-time "$patience" "$@" "$url$target" | tr -d '\000') || exit
	type=${answer##*$'\n'}
	answer=${answer%$'\n'*}
	code=${type%% *} type=${type#* }
	case $code in
	2??) ;;
	*) hf_refused "$code" "$answer" ;;
	esac
	member=$(hf_member "$target")
	if ! hf_is_json "$type" || ! jq -es --arg member "$member" 'length == 1 and (.[0] | type == "object" and has($member) and
		(($member | . == "items" or . == "changes" or . == "results" | not) or (.[$member] | type == "array")))' <<<"$answer" >/dev/null 2>&1; then
		hf_strange
	fi
	printf '%s\n' "${answer%$'\n'}"
}

# hf_all TARGET : all pages of a list as one.
hf_all() {
	local next='' last page pages=''
	while :; do
		last=$next
		page=$(hf_api GET "$1${next:+?continue=$next}") || exit
		pages+=$page$'\n'
		next=$(hf_read -r '.continue // "" | @uri' <<<"$page")
		if [ -z "$next" ]; then break; fi
		if [ "$next" = "$last" ]; then hf_strange; fi
	done
	hf_read -cs '.[-1] + {items: [.[].items[]]}' <<<"$pages"
}

# hf_send METHOD TARGET JSON : as hf_api, with a body.
hf_send() { hf_api "$1" "$2" -H 'Content-Type: application/json' --data-binary @- <<<"$3"; }

# hf_get FILE TARGET [CURL-ARGUMENT…] : GET, with the body written to a file; prints the HTTP status, whatever it is. A body that is not even said
# to be JSON is none of a Holdfast server; whether it is as it has to be, the reader looks.
hf_get() {
	local file=$1 target=$2 told
	shift 2
	: >"$file"
	told=$(hf_curl -o "$file" -w '%{http_code} %{content_type}' "$@" "$url$target") || exit
	case $told in 2??\ *) hf_is_json "${told#* }" || hf_strange ;; esac
	printf '%s' "${told%% *}"
}

# hf_fetch FILE TARGET : as hf_get, but prints nothing, and a problem is said and ends the command.
hf_fetch() {
	local code
	code=$(hf_get "$1" "$2") || exit
	case $code in
	2??) ;;
	*) hf_refused "$code" "$(head -c 65536 "$1")" ;;
	esac
}

# hf_table : aligns tab-separated lines from standard input; the first is the head. $widths are minima of the columns from the left. A line
# that is a form feed and nothing else ends a batch, which is then written; no more than a batch is held. What a terminal would obey is
# replaced.
hf_table() {
	LC_ALL=C awk -F '\t' -v minima="${widths:-}" "$hf_awk"'
		function letters(text) { gsub(/[\200-\277]/, "", text); return length(text) }
		function flush_batch(   r, i, line) {
			for (r = 1; r <= rows; r++) {
				line = ""
				for (i = 1; i < n; i++) line = line cell[r, i] sprintf("%" (width[i] + 2 - wide[r, i]) "s", "")
				line = line cell[r, n]
				sub(/ +$/, "", line)
				print line
			}
			rows = 0
			split("", cell)
			split("", wide)
		}
		BEGIN { n = split(minima, width, " ") }
		$0 == "\f" { flush_batch(); fflush(); next }
		{
			rows++
			for (i = 1; i <= NF; i++) {
				$i = plain($i)
				cell[rows, i] = $i
				wide[rows, i] = letters($i)
				if (wide[rows, i] > width[i]) width[i] = wide[rows, i]
			}
			if (NF > n) n = NF
		}
		END { flush_batch() }' | hf_put
}

# hf_daemon : where the server's binary is; offline work is a subcommand of it.
hf_daemon() {
	local at
	for at in "${HOLDFASTD:-}" "$lib/../../sbin/holdfastd" "$lib/../../build/release/holdfastd"; do
		if [ -n "$at" ] && [ -x "$at" ]; then
			readlink -f "$at"
			return
		fi
	done
	command -v holdfastd || hf_die 2 "holdfastd is not to be found; build it (scripts/build), or set HOLDFASTD to its path"
}

# The last line's value as holdfastd reads it: what stands between quotes, or what stands before a comment.
hf_value_of_file='$ {
	s/^"\([^"]*\)".*/\1/; t done
	s/^'"'\([^']*\)'"'.*/\1/; t done
	s/[[:space:]][;#].*//; s/[[:space:]]*$//
	:done
	p
}'

# hf_data_dir : the data directory unless one is stated: $HOLDFAST_DATA_DIR, or what the configuration says, that of $HOLDFAST_CONFIG or else the
# installed one. Nothing if neither says.
hf_data_dir() {
	local file configured='' files=("$lib/../../etc/holdfast/holdfastd.conf" /etc/holdfast/holdfastd.conf)
	if [ -n "${HOLDFAST_DATA_DIR:-}" ]; then
		printf '%s' "$HOLDFAST_DATA_DIR"
		return
	fi
	if [ -n "${HOLDFAST_CONFIG:-}" ]; then
		files=("$HOLDFAST_CONFIG")
		[ -e "$HOLDFAST_CONFIG" ] || hf_die 2 "HOLDFAST_CONFIG: there is no $HOLDFAST_CONFIG"
	fi
	for file in "${files[@]}"; do
		if [ -n "$configured" ] || [ ! -e "$file" ]; then continue; fi
		[ -r "$file" ] || hf_die 2 "$file cannot be read, so the data directory is not known: state --data-dir"
		configured=$(sed -n 's/^[[:space:]]*data-dir[[:space:]]*[=:][[:space:]]*//p' "$file" | sed -n "$hf_value_of_file")
	done
	printf '%s' "$configured"
}

# hf_offline ARGUMENT… : the command as holdfastd's subcommand of the same name, on the data directory unless one is stated.
hf_offline() {
	local argument daemon stated=
	for argument in "$@"; do
		case $argument in
		-h | --help) hf_help ;;
		--data-dir) stated=true ;;
		--) break ;;
		esac
	done
	daemon=$(hf_daemon)
	if [ -z "$stated" ]; then
		stated=$(hf_data_dir)
		if [ -z "$stated" ]; then
			stated=holdfast-data
			case $name in
			restore | import | repair | migrate)
				if [ ! -e "$stated" ]; then
					for argument in "$@"; do
						case $argument in --?*) usage | grep -qF -e "$argument" || hf_bad "\"$argument\" is no argument of this command" ;; esac
					done
				fi
				[ -e "$stated" ] || hf_die 2 "no data directory is stated or configured, and there is no $stated here: state --data-dir"
				;;
			esac
		fi
		set -- --data-dir "$stated" "$@"
	fi
	exec "$daemon" "$name" "$@"
}

# The arguments of whoever sources this: --option=value is --option value in every command.
hf_arguments=()
while [ $# -gt 0 ]; do
	case $1 in
	--)
		hf_arguments+=("$@")
		break
		;;
	--json=* | --yes=* | --force=* | --follow=* | --apply=* | --all=* | --quiet=* | --help=* | --no-verify=* | --dry-run=* | --restored=* | --other-store=*)
		hf_bad "${1%%=*} takes no value"
		;;
	--[a-z]*=*) hf_arguments+=("${1%%=*}" "${1#*=}") ;;
	*) hf_arguments+=("$1") ;;
	esac
	shift
done
set -- "${hf_arguments[@]}"
