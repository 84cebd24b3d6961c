# What kuma-import and kuma-drift share: fetch and read Kuma's documents, and ask the server about them. Sourced after lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # variables of jq, and variables of lib.sh and of the commands
zone='' mesh='' kuma_url='' kuma_token_file='' kuma_files=() taken=1
keeping=false # what is no service, but has a VIP, is something to work on
whole=false   # a part of a list is no good
hf_scratch

kuma_inputs() {
	cat <<'TEXT'
Input: FILE…, - for standard input, or Kuma's API, in any of these forms:
  - what GET /meshes/{mesh}/meshservices answers (meshexternalservices and meshmultizoneservices too)
  - what kubectl get meshservices -A -o json prints; single resources; NDJSON
  - the ConfigMaps kuma-<mesh>-dns-vips of older versions (kubectl get configmap -n kuma-system -o json), or the bare content of their
    "config" with --mesh. The service is then what the map names: the value of the tag kuma.io/service.
A document's zone is its label kuma.io/zone; "global" if its origin is global and it has none; else --zone.

  --kuma-url URL         all pages of all kinds from Kuma's API, such as http://127.0.0.1:5681; of all meshes unless --mesh is stated
  --kuma-token-file FILE the token for it, sent to that address alone
  --zone ZONE            the zone of what does not say its own
  --mesh MESH            nothing but this mesh
TEXT
}

kuma_name() {
	[[ $2 =~ ^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$ ]] || hf_bad "$1: \"$2\" is no name: 1 to 63 of a-z 0-9 . _ -, first and last a letter or digit"
}

# kuma_option "$@" : takes an option or file that both commands know; $taken is how many arguments it was.
kuma_option() {
	taken=2
	case $1 in
	--zone)
		zone=$(hf_value "$1" "$@")
		kuma_name "$1" "$zone"
		;;
	--mesh)
		mesh=$(hf_value "$1" "$@")
		kuma_name "$1" "$mesh"
		;;
	--kuma-url) kuma_url=$(hf_value "$1" "$@") ;;
	--kuma-token-file) kuma_token_file=$(hf_value "$1" "$@") ;;
	*)
		taken=1
		case $1 in
		--json) json=true ;;
		-h | --help) hf_help ;;
		-) kuma_files+=(-) ;;
		-* | '') hf_bad "\"$1\" is no argument of this command" ;;
		*) kuma_files+=("$1") ;;
		esac
		;;
	esac
}

# kuma_check_arguments : what can be said against the arguments together.
kuma_check_arguments() {
	local file stdin=0
	hf_need curl jq awk
	if [ ${#kuma_files[@]} -eq 0 ] && [ -z "$kuma_url" ]; then hf_bad "nothing to read: state files, - for standard input, or --kuma-url"; fi
	if [ -n "$kuma_token_file" ] && [ -z "$kuma_url" ]; then hf_bad "--kuma-token-file is for --kuma-url"; fi
	case $kuma_url in
	'') ;;
	*[[:space:][:cntrl:]\"\\?#]* | *@*) hf_bad "--kuma-url: it holds a character that cannot be part of it" ;;
	http://?* | https://?*) while [ "$kuma_url" != "${kuma_url%/}" ]; do kuma_url=${kuma_url%/}; done ;;
	*) hf_bad "--kuma-url: \"$kuma_url\" begins with neither http:// nor https://" ;;
	esac
	for file in "${kuma_files[@]}"; do
		if [ "$file" = - ]; then
			stdin=$((stdin + 1))
		elif [ -d "$file" ] || ! [ -r "$file" ]; then
			hf_die 2 "$file: no such file, or it cannot be read"
		fi
	done
	if [ "$stdin" -gt 1 ]; then hf_bad "- is stated more than once"; fi
}

kuma_token() {
	local token
	: >"$scratch/token"
	if [ -z "$kuma_token_file" ]; then return; fi
	if [ -d "$kuma_token_file" ] || ! [ -r "$kuma_token_file" ]; then hf_die 2 "--kuma-token-file: $kuma_token_file cannot be read"; fi
	token=$(tr -d '\r\n' <"$kuma_token_file")
	case $token in '' | *[!A-Za-z0-9._~+/=-]*) hf_die 2 "--kuma-token-file: $kuma_token_file does not hold a token" ;; esac
	printf 'header = "Authorization: Bearer %s"\n' "$token" >"$scratch/token"
}

# kuma_get URL : the answer is in $scratch/page and its media type in $media. Returns 4 if there is no such thing.
kuma_get() {
	local status=0 told code direct
	hf_direct "$kuma_url"
	told=$(curl -q -sS "${direct[@]}" --globoff --path-as-is --proto '=http,https' --connect-timeout 10 --max-time 300 --config "$scratch/token" \
		-H 'Accept: application/json' -o "$scratch/page" -w '%{http_code} %{content_type}' -- "$1" 2>"$scratch/error") || status=$?
	if [ "$status" -ne 0 ]; then hf_die 3 "Kuma at $kuma_url cannot be reached: $(sed -n '1s/^curl: //p' "$scratch/error")"; fi
	code=${told%% *} media=${told#* }
	case $code in
	2??) ;;
	404) return 4 ;;
	401 | 403)
		if [ -n "$kuma_token_file" ]; then
			hf_die 2 "Kuma does not accept the token in $kuma_token_file for $1 (HTTP $code)"
		fi
		hf_die 2 "Kuma wants a token for $1 (HTTP $code): state --kuma-token-file"
		;;
	3??) hf_die 2 "$1 is a redirection (HTTP $code), which is not followed: state the address that it leads to" ;;
	5??) hf_die 3 "Kuma is in trouble: it answered HTTP $code to GET $1" ;;
	*) hf_die 2 "Kuma answered HTTP $code to GET $1" ;;
	esac
}

# kuma_list PATH FILE : appends all pages of a list to the file. Of a page's `next` nothing but the query is used: Kuma writes its own idea
# of its address before it, and the token is for nobody else. Returns 4 if there is no such list.
kuma_list() {
	local query='size=1000' pages=0 most=1000 line n total next
	: >"$scratch/seen"
	while [ "$query" != - ]; do
		kuma_get "$kuma_url$1?$query" || return
		pages=$((pages + 1))
		printf '%s\n' "$query" >>"$scratch/seen"
		line=$(jq -rs 'if length == 1 then .[0] else error("one value is wanted") end |
			(.items // []) as $items |
			if type != "object" or (has("items") | not) or ($items | type) != "array" then error("no list") else . end |
			((.next // "") | if type != "string" then error("no list") elif . == "" then "-" else
				(capture("^[^?#]*\\?(?<query>[A-Za-z0-9%._~&=+*:,;/@!$()-]+)(#.*)?$") | .query) // "?" end) as $next |
			"\($items | length) \((.total | numbers | floor) // 0) \($next)"' "$scratch/page" 2>/dev/null) ||
			hf_die 2 "the answer to GET $kuma_url$1?$query is no list in JSON (${media:-no media type}): is this the address of Kuma's API?"
		read -r n total next <<<"$line"
		if [ "$pages" -eq 1 ] && [ "$total" -gt 0 ] && [ "$n" -gt 0 ]; then most=$((2 * ((total + n - 1) / n) + 10)); fi
		if [ "$next" != - ]; then
			if [ "$next" = '?' ]; then hf_die 2 "Kuma's pages of $1: the next page is named in a way that cannot be followed"; fi
			if [ "$n" -eq 0 ] || [ "$pages" -ge "$most" ] || grep -qxF -e "$next" "$scratch/seen"; then
				hf_die 2 "Kuma's pages of $1 do not come to an end: after $pages pages of $total services there is still one more"
			fi
		fi
		cat "$scratch/page" >>"$2"
		echo >>"$2"
		query=$next
	done
}

# kuma_fetch FILE : all that Kuma's API has.
kuma_fetch() {
	local one kind found
	kuma_token
	: >"$1"
	if [ -n "$mesh" ]; then
		printf '%s\n' "$(hf_uri "$mesh")" >"$scratch/meshes"
	else
		: >"$scratch/meshlist"
		kuma_list /meshes "$scratch/meshlist" || hf_die 2 "there is no $kuma_url/meshes (HTTP 404): is this the address of Kuma's API?"
		jq -r '.items[]? | .name | strings | @uri' "$scratch/meshlist" >"$scratch/meshes"
	fi
	while read -r one; do
		found=false
		for kind in meshservices meshexternalservices meshmultizoneservices; do
			if kuma_list "/meshes/$one/$kind" "$1"; then found=true; fi
		done
		if ! $found; then hf_die 2 "Kuma at $kuma_url knows neither services of mesh \"$one\" nor that there could be any (HTTP 404)"; fi
	done <"$scratch/meshes"
}

# kuma_read : all inputs to items, one for each service. $scratch/aside has those of which all is known, $scratch/asked the others, and
# $scratch/documents their documents, a line each.
kuma_read() {
	local file files=() bad
	if [ -n "$kuma_url" ]; then
		kuma_fetch "$scratch/Kuma's API"
		files+=("$scratch/Kuma's API")
	fi
	for file in "${kuma_files[@]}"; do
		case $file in
		-)
			cat >"$scratch/standard input"
			file="$scratch/standard input"
			;;
		-*) file=./$file ;;
		esac
		if ! [ -s "$file" ]; then hf_die 2 "${file#"$scratch/"} is empty"; fi
		files+=("$file")
	done
	rm -f "$scratch/page"
	for file in aside bad asked documents; do : >"$scratch/$file"; done
	jq -rn -L "$lib" --arg mesh "$mesh" 'include "kuma";
		($mesh | text) as $mesh |
		foreach (inputs | input_filename as $from | items($mesh) | of_mesh($mesh) |
			if .bad then . + {from: $from} else . end) as $item (-1; . + 1; . as $n | $item | .n = $n) |
		if .list then "list\t\(.list)\t\(.total)\t\(.more)" else "\(if .bad then "bad" elif .document then "asked" else "aside" end)\t\(
			del(.document) | tojson)\t\(.document | tojson)" end' "${files[@]}" 2>"$scratch/error" >"$scratch/items" || kuma_unreadable "${files[@]}"
	awk -F '\t' -v work="$scratch" '
		$1 == "list" { n += $2; if ($3 > total) total = $3; if ($4 == "true") more = 1; else last = 1; next }
		$1 == "asked" { print $3 > (work "/documents") }
		{ print $2 > (work "/" $1) }
		END { if (more && (total ? n < total : !last)) print n > (work "/page") }' "$scratch/items"
	rm "$scratch/items"
	if [ -s "$scratch/page" ]; then
		if $whole; then hf_die 2 "the input is not all that there is; it says itself that more pages follow"; fi
		hf_say "careful: the input is not all that there is; it says itself that more pages follow"
	fi
	if [ -s "$scratch/bad" ]; then
		bad=$(sed -n 1p "$scratch/bad" | jq -r --arg work "$scratch/" '"\(.from | ltrimstr($work)): \(.bad)"')
		hf_die 2 "$bad"
	fi
	if ! [ -s "$scratch/asked" ] && ! { $keeping && jq -en 'any(inputs; .kept)' "$scratch/aside" >/dev/null; }; then
		hf_die 2 "there is no service in it${mesh:+, of mesh $mesh}: is this the right input?"
	fi
}

# kuma_unreadable FILE… : says which is no JSON.
kuma_unreadable() {
	local file
	for file in "$@"; do
		jq empty "$file" >/dev/null 2>"$scratch/why" || hf_die 2 "${file#"$scratch/"} is no JSON: $(sed -n '1s/^[^:]*: *//p' "$scratch/why")"
	done
	hf_die 2 "the input cannot be read: $(sed -n 1p "$scratch/error")"
}

# kuma_sync ZONE LINES QUERY… : what a sync of the zone would do with the documents in a file, a line each: a dry run for each so many of them, which
# writes nothing. The results are appended to $scratch/results, a line each.
kuma_sync() {
	local here=$1 lines=$2 code part
	shift 2
	mkdir "$scratch/parts"
	split -l 20000 -a 6 "$lines" "$scratch/parts/"
	for part in "$scratch/parts/"*; do
		if ! [ -e "$part" ]; then continue; fi
		code=$(hf_get "$scratch/answer" "/v1/zones/$here/sync?mode=delta&dryRun=true&return=all" -H 'Content-Type: application/x-ndjson' \
			--data-binary "@$part") || exit
		case $code in
		200) hf_read -c '.results[]' "$scratch/answer" >>"$scratch/results" ;;
		*) hf_refused "$code" "$(head -c 65536 "$scratch/answer")" ;;
		esac
	done
	rm -r "$scratch/parts"
}

# kuma_place : whose each item is, as the server reads the documents in the list of --zone; without that in the list of a zone that nobody has. What
# can be said at once goes to $scratch/aside. $scratch/placed has the others: the zone, a tab, the item, a tab, its document's line.
kuma_place() {
	local bad kind
	for kind in results placed homeless; do : >"$scratch/$kind"; done
	kuma_sync "${zone:-unplaced}" "$scratch/documents"
	if [ "$(wc -l <"$scratch/results")" -ne "$(wc -l <"$scratch/asked")" ]; then hf_die 3 "the server's answer is not complete"; fi
	hf_read -rn -L "$lib" --arg zone "$zone" --slurpfile metas "$scratch/asked" 'include "kuma";
		($zone | text) as $zone |
		foreach inputs as $result (-1; . + 1; . as $i | $metas[$i] + {line: ($i + 1), result: $result} | placed($zone) | del(.result) |
			if .homeless then "homeless\t\(tojson)" elif .verdict then "aside\t\(tojson)" else "placed\t\(.zone)\t\(tojson)" end)' \
		"$scratch/results" | awk -v work="$scratch" '{ at = index($0, "\t"); print substr($0, at + 1) >> (work "/" substr($0, 1, at - 1)) }'
	if [ -s "$scratch/homeless" ]; then
		bad=$(sed -n 1p "$scratch/homeless" | jq -r .service)
		hf_die 2 "$(wc -l <"$scratch/homeless") of $(cat "$scratch/homeless" "$scratch/placed" | wc -l) services with a VIP do not say their zone ($bad is the first): state --zone"
	fi
	LC_ALL=C sort -s -t $'\t' -k 1,1 -o "$scratch/placed" "$scratch/placed"
}

# kuma_ask : what the server would do with each item in its own zone. $scratch/checked has the items with the results; $scratch/unclear has the addresses
# of those that could not be adopted just so, and of what no lease can hold, each as a string in JSON, and may have one more than once.
kuma_ask() {
	local at=0 here file
	mkdir "$scratch/zones"
	for file in names metas results checked unclear; do : >"$scratch/$file"; done
	awk -F '\t' -v work="$scratch" '
		FNR == NR { document[FNR] = $0; next }
		$1 != last { if (n) close(file); last = $1; n++; file = work "/zones/" n; print $1 > (work "/names") }
		{
			line = $2
			sub(/^.*"line":/, "", line)
			print $2 > (work "/metas")
			print document[line + 0] > file
		}' "$scratch/documents" "$scratch/placed"
	while read -r here; do
		at=$((at + 1))
		kuma_sync "$here" "$scratch/zones/$at"
	done <"$scratch/names"
	hf_read -rn -L "$lib" --slurpfile metas "$scratch/metas" 'include "kuma";
		foreach inputs as $result (-1; . + 1; . as $i | $metas[$i] + {result: $result} |
			"checked\t\(tojson)", (select(is_unclear) | .vips[] | "unclear\t\(tojson)"))' "$scratch/results" | kuma_sort_out
	jq -r 'select(.kept or .nameless) | .vips[] | tojson' "$scratch/aside" >>"$scratch/unclear"
	if [ "$(wc -l <"$scratch/checked")" -ne "$(wc -l <"$scratch/metas")" ]; then hf_die 3 "the server's answer is not complete"; fi
}

# kuma_addresses : what the addresses are of services that could not have theirs just so: each that is in $scratch/unclear, and the answers in
# $scratch/found, in this order.
kuma_addresses() {
	: >"$scratch/found"
	if ! [ -s "$scratch/unclear" ]; then return; fi
	LC_ALL=C sort -u -o "$scratch/unclear" "$scratch/unclear"
	jq -r '"GET\t/v1/addresses/\(@uri)\t"' "$scratch/unclear" >"$scratch/lookups"
	kuma_many "$scratch/lookups" "$scratch/found" || exit
}

# kuma_sort_out : puts lines into the files in $scratch that they name, before a tab.
kuma_sort_out() { awk -v work="$scratch" '{ at = index($0, "\t"); print substr($0, at + 1) > (work "/" substr($0, 1, at - 1)) }'; }

# kuma_many REQUESTS ANSWERS : many requests over some connections at once. A request is a line: method, tab, target, tab, body as a string in
# JSON, which is a string of curl's too, or @FILE, or nothing. The answers are written in the order of the requests, a line each, as
# JSON; null for none and for what is no JSON. Returns 3 if the server could not be reached for some.
kuma_many() {
	local lanes=16 lane lines status=0 jobs=() job
	lines=$(wc -l <"$1")
	if [ "$lines" -lt "$lanes" ]; then lanes=$lines; fi
	for ((lane = 0; lane < lanes; lane++)); do
		(
			set +e
			hf_curl --fail-early --config <(url=$url token=${HOLDFAST_TOKEN:-} login=$(hf_login) awk -F '\t' -v lane="$lane" -v lanes="$lanes" '
				function quoted(text) { gsub(/[\\"]/, "\\\\&", text); return "\"" text "\"" }
				(NR - 1) % lanes != lane { next }
				{
					if (behind++) print "next"
					print "url = " quoted(ENVIRON["url"] $2)
					if ($1 != "GET") print "request = " $1 "\nheader = \"Content-Type: application/json\"\n" \
						(substr($3, 1, 1) == "@" ? "data-binary = " quoted($3) : "data-raw = " $3)
					if (behind > 1 && ENVIRON["login"] != "") print "user = " quoted(ENVIRON["login"])
					if (behind > 1 && ENVIRON["token"] != "") print "header = " quoted("Authorization: Bearer " ENVIRON["token"])
					print "write-out = \"\\n\\t\\n\"\ngloboff\npath-as-is\nconnect-timeout = 10\nspeed-limit = 1\nspeed-time = 120"
				}' "$1") 2>"$2.$lane.error" |
				awk '$0 == "\t" { print body == "" ? "null" : body; body = ""; next } { body = body $0 }' >"$2.$lane"
			exit "${PIPESTATUS[0]}"
		) &
		jobs+=($!)
	done
	for job in "${jobs[@]}"; do wait "$job" || status=3; done
	if [ "$status" -ne 0 ]; then sort -r "$2".*.error | sed -n 1p >&2; fi
	for ((lane = 0; lane < lanes; lane++)); do
		awk -v lane="$lane" -v lanes="$lanes" '{ print (NR - 1) * lanes + lane "\t" $0 }' "$2.$lane"
	done | sort -n | awk -F '\t' -v lines="$lines" '
		{ while (at < $1) { print "null"; at++ } print substr($0, length($1) + 2); at++ }
		END { while (at < lines) { print "null"; at++ } }' | jq -R -c 'try fromjson catch null' >"$2"
	return "$status"
}
