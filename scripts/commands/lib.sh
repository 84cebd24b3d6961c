# What the commands share. A command sets `name`, defines usage(), sources this and parses its arguments.
# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is used by the commands
name=${name:-}
url=${HOLDFAST_URL:-http://127.0.0.1:8241}
url=${url%/}
lib=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
json=false # --json was given

# hf_die STATUS WORDS… : says why, and ends.
hf_die() {
	local status=$1
	shift
	echo "holdfast $name: $*" >&2
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
	printf '%s' "$2"
}

# hf_need PROGRAM… : programs that must be there.
hf_need() {
	local program
	for program in "$@"; do
		command -v "$program" >/dev/null || hf_die 2 "needs $program, which is not installed"
	done
}

# hf_uri TEXT : escaped for a path or a query.
hf_uri() { jq -rn --arg text "$1" '$text | @uri'; }

# hf_curl CURL-ARGUMENT… : curl with the token, which the list of processes does not show. Ends with 3 if there is no server.
hf_curl() {
	local status=0
	hf_need curl jq
	curl -sS --config <(
		if [ -n "${HOLDFAST_TOKEN:-}" ]; then
			printf 'header = "Authorization: Bearer %s"\n' "$HOLDFAST_TOKEN"
		fi
	) "$@" || status=$?
	case $status in
	0) ;;
	5 | 6 | 7 | 28 | 35 | 52 | 56) hf_die 3 "the server at $url cannot be reached" ;;
	*) return "$status" ;;
	esac
}

# hf_problem STATUS BODY : says what a problem (RFC 9457) says.
hf_problem() {
	local words
	words=$(jq -r 'select(.code) | "\(.code): \(.detail)"' <<<"$2" 2>/dev/null) || words=
	echo "holdfast $name: ${words:-the server answered HTTP $1}" >&2
}

# hf_api METHOD TARGET [CURL-ARGUMENT…] : the answer's body; a problem is said, and the status is then 1 (3: server trouble, 500 and 503).
hf_api() {
	local method=$1 target=$2 answer code
	shift 2
	answer=$(hf_curl -X "$method" -w '\n%{http_code}' "$@" "$url$target") || exit
	code=${answer##*$'\n'}
	answer=${answer%$'\n'*}
	case $code in
	2??) printf '%s\n' "${answer%$'\n'}" ;;
	500 | 502 | 503 | 504)
		hf_problem "$code" "$answer"
		exit 3
		;;
	*)
		hf_problem "$code" "$answer"
		exit 1
		;;
	esac
}

# hf_table : aligns tab-separated lines from standard input; the first is the head.
hf_table() {
	awk -F '\t' '
		{ for (i = 1; i <= NF; i++) { cell[NR, i] = $i; if (length($i) > width[i]) width[i] = length($i) } if (NF > n) n = NF }
		END {
			for (r = 1; r <= NR; r++) {
				line = ""
				for (i = 1; i <= n; i++) line = line sprintf(i < n ? "%-" (width[i] + 2) "s" : "%s", cell[r, i])
				sub(/ +$/, "", line)
				print line
			}
		}'
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

# hf_data_dir : the data directory unless one is stated: $HOLDFAST_DATA_DIR, what the installed configuration says, or holdfastd's own default.
hf_data_dir() {
	local configured=
	if [ -z "${HOLDFAST_DATA_DIR:-}" ] && [ -r /etc/holdfast/holdfastd.conf ]; then
		configured=$(sed -n 's/^[[:space:]]*data-dir[[:space:]]*=[[:space:]]*\([^;[:space:]]*\).*/\1/p' /etc/holdfast/holdfastd.conf)
	fi
	printf '%s' "${HOLDFAST_DATA_DIR:-${configured:-holdfast-data}}"
}

# hf_offline ARGUMENT… : the command as holdfastd's subcommand of the same name, on the data directory unless one is stated.
hf_offline() {
	local argument daemon stated=
	for argument in "$@"; do
		case $argument in
		-h | --help)
			usage
			exit 0
			;;
		--data-dir | --data-dir=*) stated=true ;;
		esac
	done
	daemon=$(hf_daemon)
	[ -n "$stated" ] || set -- --data-dir "$(hf_data_dir)" "$@"
	exec "$daemon" "$name" "$@"
}
